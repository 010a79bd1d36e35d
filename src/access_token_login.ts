import type { Account } from "./account.ts";
import type { Config } from "./config.ts";
import { personalAccessTokenDocument } from "./credentials/auth_document.ts";
import { prepareStore } from "./credentials/prepare_store.ts";
import { saveLogin } from "./credentials/save_login.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { LoginError } from "./errors.ts";
import { requestWhoami } from "./oauth/personal_access_token.ts";
import { invalid, readStdinSecret, refuseTerminal, type StdinSecret } from "./stdin_secret.ts";
import { tellStep } from "./story.ts";
import { allowedWorkspaces, checkWorkspace } from "./workspace.ts";
import type { World } from "./world.ts";
import { describeReplaced, describeUnrevoked } from "./replaced_notes.ts";

const ACCESS_TOKEN: StdinSecret = {
  name: "personal access token",
  flag: "--with-access-token",
  variable: "CODEX_ACCESS_TOKEN",
  code: "ACCESS_TOKEN_INVALID",
};

export interface SavedAccessToken extends Pick<CredentialStore, "kind" | "path"> {
  readonly account: Account;
}

/**
 * Reads a personal access token from stdin, asks the issuer whose it is, and saves it.
 *
 * @throws {LoginError} STDIN_TERMINAL, ACCESS_TOKEN_INVALID, WORKSPACE_MISMATCH, …; an earlier login stays as it was.
 */
export async function loginWithAccessToken(
  world: World,
  config: Config,
  { timeoutMs, expectedWorkspaceIds, tell }: {
    timeoutMs: number;
    expectedWorkspaceIds: readonly string[];
    tell: (note: string) => void;
  },
): Promise<SavedAccessToken> {
  if (config.forcedLoginMethod === "api") {
    throw new LoginError(
      "LOGIN_METHOD_FORBIDDEN",
      "Signing in with an access token is not allowed here",
      {
        reason: 'forced_login_method is "api"',
        hint: "printenv OPENAI_API_KEY | codex-login login --with-api-key",
      },
    );
  }
  const allowed = allowedWorkspaces(config.forcedWorkspaceIds, expectedWorkspaceIds);
  await refuseTerminal(world, ACCESS_TOKEN);
  for (const message of config.notes) tell(message);
  const store = await tellStep(world, "store check", () => prepareStore(world, config, tell));
  const token = await readStdinSecret(world, ACCESS_TOKEN, timeoutMs);
  world.log.hide(token);
  refuseOtherTokens(token);
  const account = await requestWhoami(world.fetch, {
    base: config.authApiBase,
    token,
    originator: config.originator,
    userAgent: config.userAgent,
  }, world.signal);
  checkWorkspace(account, allowed);
  world.signal.throwIfAborted();
  const replaced = await tellStep(
    world,
    "save",
    () => saveLogin(store, (earlier) => personalAccessTokenDocument(token, earlier), tell),
  );
  world.saved();
  for (const note of [...describeReplaced(replaced), ...describeUnrevoked(replaced)]) tell(note);
  return { kind: store.kind, path: store.path, account };
}

/** @throws {LoginError} ACCESS_TOKEN_INVALID */
function refuseOtherTokens(token: string): void {
  if (/^at-[\x21-\x7e]+$/.test(token)) return;
  throw invalid(
    ACCESS_TOKEN,
    token.startsWith("sk-")
      ? "it is an API key: use --with-api-key"
      : token.split(".").length === 3
      ? "it is a JWT (an agent identity, or the token of a session), which cannot be stored here"
      : "it does not begin with at-",
  );
}
