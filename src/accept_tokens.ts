import { type Account, readAccount } from "./account.ts";
import { describeClockOffset } from "./clock_offset.ts";
import type { Config } from "./config.ts";
import { chatGptDocument } from "./credentials/auth_document.ts";
import { saveLogin } from "./credentials/save_login.ts";
import type { CredentialStore } from "./credentials/store.ts";
import type { JsonObject } from "./json.ts";
import { exchangeIdTokenForApiKey } from "./oauth/api_key.ts";
import type { Client } from "./oauth/attempt.ts";
import { validateIdToken } from "./oauth/id_token.ts";
import { buildSetupUrl } from "./organization_setup.ts";
import { base64Url } from "./oauth/pkce.ts";
import type { TokenSet } from "./oauth/token.ts";
import { describeReplaced } from "./replaced_notes.ts";
import { settleEarlier } from "./settle_earlier.ts";
import { tellStep } from "./story.ts";
import { checkWorkspace } from "./workspace.ts";
import type { World } from "./world.ts";

const OWNER_ID_BYTES = 32;

/** What a finished sign-in tells. */
export interface SavedLogin {
  readonly account: Account;
  readonly store: CredentialStore["kind"];
  /** Of the file; null in the keyring. */
  readonly path: string | null;
  readonly onboardingEntrypoint: "life_sciences" | undefined;
}

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
  { client, tokens, wantsApiKey, allowedWorkspaceIds, tell }: {
    client: Client;
    tokens: TokenSet;
    /** Asks for an API key beside the save, as the reference does after a browser's sign-in only. */
    wantsApiKey: boolean;
    allowedWorkspaceIds: readonly string[];
    tell: (note: string) => void;
  },
): Promise<AcceptedLogin> {
  for (const secret of [tokens.idToken, tokens.accessToken, tokens.refreshToken]) {
    world.log.hide(secret);
  }
  const { claims, account } = await tellStep(world, "token check", () => {
    const { claims, clockOffset } = validateIdToken(tokens.idToken, {
      issuer: client.issuer,
      clientId: client.clientId,
      now: world.now(),
      answeredAt: tokens.answeredAt,
    });
    if (clockOffset !== undefined) tell(describeClockOffset(clockOffset));
    const account = readAccount(claims);
    checkWorkspace(account, allowedWorkspaceIds);
    return { claims, account };
  });

  const apiKey = wantsApiKey
    ? exchangeIdTokenForApiKey(world.fetch, client, tokens.idToken, world.signal)
    : Promise.resolve(undefined);
  const loginOwnerId = base64Url(world.randomBytes(OWNER_ID_BYTES));
  world.signal.throwIfAborted();
  const document = (earlier: JsonObject | undefined): JsonObject =>
    chatGptDocument({
      idToken: tokens.idToken,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      issuer: client.issuer.given,
      clientId: client.clientId,
      loginOwnerId,
      accountId: account.accountId,
      at: world.now(),
    }, earlier);
  const replaced = await tellStep(world, "save", () => saveLogin(store, document, tell));
  world.saved();
  for (const note of describeReplaced(replaced)) tell(note);

  const followUp = Promise.allSettled([
    apiKey.then((key) => saveApiKey(world, store, key, loginOwnerId)),
    settleEarlier(world, config, replaced.earlier, { issuer: client.issuer.given, claims, tell }),
  ]).then(() => {});
  return { account, setupUrl: buildSetupUrl(client.issuer, tokens, claims), followUp };
}

/**
 * Only into the login it was made for: by now another process may have saved another one, or renews this one, in another
 * container even, where the locks of the home are not seen.
 */
async function saveApiKey(
  world: World,
  store: CredentialStore,
  apiKey: string | undefined,
  loginOwnerId: string,
): Promise<void> {
  if (apiKey === undefined) return;
  world.log.hide(apiKey);
  await tellStep(
    world,
    "api key save",
    () =>
      store.renewing(() =>
        store.update((current) =>
          current?.tokens?.login_owner_id === loginOwnerId
            ? { ...current.document, OPENAI_API_KEY: apiKey }
            : undefined
        )
      ),
  );
}
