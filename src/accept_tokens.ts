import { type Account, readAccount, readIdentity, readOrganizationSetup } from "./account.ts";
import type { Config } from "./config.ts";
import { chatGptDocument, type Credentials } from "./credentials/auth_file.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { formatDuration } from "./duration.ts";
import type { JsonObject } from "./json.ts";
import { exchangeIdTokenForApiKey } from "./oauth/api_key.ts";
import type { LoginAttempt } from "./oauth/attempt.ts";
import { decodeClaims, validateIdToken } from "./oauth/id_token.ts";
import { isDefaultIssuer } from "./oauth/issuer.ts";
import { base64Url } from "./oauth/pkce.ts";
import type { TokenSet } from "./oauth/token.ts";
import { printable } from "./printable.ts";
import { revokeLogin } from "./revoke_login.ts";
import { checkWorkspace } from "./workspace.ts";
import type { World } from "./world.ts";

const OWNER_ID_BYTES = 32;
/** Milliseconds; within the five seconds that a finished login waits for what follows it, so that the outcome is told. */
const REVOCATION_MS = 4_500;

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
  if (keptAside) tell(`The damaged credentials file was kept as ${printable(keptAside)}.`);

  const followUp = Promise.allSettled([
    apiKey.then((key) => saveApiKey(store, key, loginOwnerId)),
    settleEarlier(world, config, earlier, readIdentity(claims), tell),
  ]).then(() => {});
  return { account, setupUrl: buildSetupUrl(attempt, tokens, claims), followUp };
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

/**
 * Ends the login that was replaced, if it was another user's. The same user's may share a grant with the new one, so that
 * revoking it would end both: it is left to expire.
 */
async function settleEarlier(
  world: World,
  config: Config,
  earlier: Credentials | undefined,
  identity: string | null,
  tell: (note: string) => void,
): Promise<void> {
  if (earlier?.mode !== "chatgpt" || !earlier.tokens) return;
  const former = readIdentity(earlier.idTokenClaims);
  const name = printable(readAccount(earlier.idTokenClaims).email ?? "unknown", 100);
  if (former === null || former === identity) {
    return tell("The earlier login of this account was replaced; its tokens are left to expire.");
  }
  const outcome = await revokeLogin(world, config, earlier, REVOCATION_MS);
  if (outcome.kind === "revoked") tell(`The earlier login of ${name} was revoked.`);
  if (outcome.kind === "failed") {
    tell(
      `The earlier login of ${name} could not be revoked (${outcome.error.code}); its tokens expire by themselves.`,
    );
  }
}

/**
 * Where an owner sets the organization up. That page takes the person from the token, so this is the only address that
 * ever carries one, and it leads to the issuer's own platform.
 */
function buildSetupUrl(
  attempt: LoginAttempt,
  tokens: TokenSet,
  claims: JsonObject,
): string | undefined {
  const setup = readOrganizationSetup(claims, accessTokenClaims(tokens.accessToken));
  if (!setup) return undefined;
  const platform = isDefaultIssuer(attempt.issuer)
    ? "https://platform.openai.com"
    : "https://platform.api.openai.org";
  const query = new URLSearchParams([
    ["p", setup.plan],
    ["t", tokens.idToken],
    ["with_org", setup.organizationId],
    ["project_id", setup.projectId],
  ]);
  return `${platform}/org-setup?${query}`;
}

/** An access token may be of any form: only a JWT tells something. */
function accessTokenClaims(accessToken: string): JsonObject {
  try {
    return decodeClaims(accessToken);
  } catch {
    return {};
  }
}

function clockNote(seconds: number): string {
  const direction = seconds > 0 ? "ahead of" : "behind";
  return `This computer's clock is ${
    formatDuration(Math.abs(seconds) * 1000)
  } ${direction} the issuer's; set it right.`;
}
