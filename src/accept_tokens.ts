import { type Account, readAccount } from "./account.ts";
import type { Config } from "./config.ts";
import { chatGptDocument } from "./credentials/auth_file.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { formatDuration } from "./duration.ts";
import { exchangeIdTokenForApiKey } from "./oauth/api_key.ts";
import type { LoginAttempt } from "./oauth/attempt.ts";
import { validateIdToken } from "./oauth/id_token.ts";
import { buildSetupUrl } from "./organization_setup.ts";
import { base64Url } from "./oauth/pkce.ts";
import type { TokenSet } from "./oauth/token.ts";
import { printable } from "./printable.ts";
import { settleEarlier } from "./settle_earlier.ts";
import { checkWorkspace } from "./workspace.ts";
import type { World } from "./world.ts";

const OWNER_ID_BYTES = 32;

export interface AcceptedLogin {
  readonly account: Account;
  /** The issuer's page for an organization that is not set up, with a token in it. */
  readonly setupUrl: string | undefined;
  /** What may still go on after the login is saved; it never rejects. */
  readonly followUp: Promise<void>;
}

/**
 * Takes fresh tokens in: checks them, saves them, and only then deals with what they replaced. Nothing stored is touched
 * before the new login is safely on the disk.
 *
 * @throws {LoginError} ID_TOKEN_INVALID, WORKSPACE_MISMATCH, SAVE_FAILED, LOCK_BUSY, …
 */
export async function acceptTokens(
  world: World,
  config: Config,
  store: CredentialStore,
  { attempt, tokens, allowedWorkspaceIds, tell }: {
    attempt: LoginAttempt;
    tokens: TokenSet;
    allowedWorkspaceIds: readonly string[];
    tell: (note: string) => void;
  },
): Promise<AcceptedLogin> {
  for (const secret of [tokens.idToken, tokens.accessToken, tokens.refreshToken]) {
    world.log.hide(secret);
  }
  const { claims, clockOffset } = validateIdToken(tokens.idToken, {
    issuer: attempt.issuer,
    clientId: attempt.clientId,
    now: world.now(),
    answeredAt: tokens.answeredAt,
  });
  if (clockOffset !== undefined) tell(clockNote(clockOffset));
  const account = readAccount(claims);
  checkWorkspace(account, allowedWorkspaceIds);

  const apiKey = exchangeIdTokenForApiKey(world.fetch, attempt, tokens.idToken, world.signal);
  const loginOwnerId = base64Url(world.randomBytes(OWNER_ID_BYTES));
  world.signal.throwIfAborted();
  const { earlier, keptAside } = await store.update((current) =>
    chatGptDocument({
      idToken: tokens.idToken,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      issuer: attempt.issuer.given,
      clientId: attempt.clientId,
      loginOwnerId,
      accountId: account.accountId,
      at: world.now(),
    }, current?.document), tell);
  world.saved();
  if (keptAside) tell(`The damaged credentials were kept as ${printable(keptAside)}.`);

  const followUp = Promise.allSettled([
    apiKey.then((key) => saveApiKey(store, key, loginOwnerId)),
    settleEarlier(world, config, earlier, { issuer: attempt.issuer.given, claims, tell }),
  ]).then(() => {});
  return { account, setupUrl: buildSetupUrl(attempt.issuer, tokens, claims), followUp };
}

/** Only into the login it was made for: by now another process may have saved another one. */
async function saveApiKey(
  store: CredentialStore,
  apiKey: string | undefined,
  loginOwnerId: string,
): Promise<void> {
  if (apiKey === undefined) return;
  await store.update((current) =>
    current?.tokens?.login_owner_id === loginOwnerId
      ? { ...current.document, OPENAI_API_KEY: apiKey }
      : undefined
  );
}

function clockNote(seconds: number): string {
  const direction = seconds > 0 ? "ahead of" : "behind";
  return `This computer's clock is ${
    formatDuration(Math.abs(seconds) * 1000)
  } ${direction} the issuer's; set it right.`;
}
