import type { AccountInfo } from "./account_info.ts";
import type { Config } from "./config.ts";
import type { AuthMode } from "./credentials/auth_file.ts";
import { toLoginError } from "./errors.ts";
import type { ExternalLogin } from "./external_auth.ts";
import type { JsonObject } from "./json.ts";
import { EXIT_SIGN_IN_AGAIN } from "./shared_failure.ts";
import { readStatus } from "./status.ts";
import { obtainToken } from "./token.ts";
import type { World } from "./world.ts";

/** The result of `account/read`. */
export function accountJson({ mode, account, routing }: AccountInfo): JsonObject {
  return {
    account: mode === null ? null : shownAccount(mode, account),
    userId: account?.userId ?? null,
    requiresOpenaiAuth: !isForeign(mode),
    workspaceRouting: routing && {
      chatgptAccountId: routing.accountId,
      backendOrigin: routing.backendOrigin,
      accountRoutingOverride: routing.accountRoutingOverride,
    },
  };
}

function shownAccount(mode: AuthMode, account: AccountInfo["account"]): JsonObject {
  if (isForeign(mode)) return { type: "amazonBedrock", usesCodexManagedCredentials: true };
  if (mode === "apikey") return { type: "apiKey" };
  return {
    type: "chatgpt",
    email: account?.email ?? null,
    planType: account?.plan ?? "unknown",
    workspaceName: account?.workspaceName ?? null,
  };
}

/** Of a provider other than OpenAI. */
function isForeign(mode: AuthMode | null): boolean {
  return mode?.startsWith("bedrock") ?? false;
}

export interface AuthOptions {
  readonly includesToken: boolean;
  /** Renews the token first. */
  readonly isForced: boolean;
  note(message: string): void;
}

/**
 * The result of `getAuthStatus`: the one answer that holds a token, when it is asked for.
 *
 * @throws {LoginError} when it cannot be read who is signed in.
 */
export async function readAuth(
  world: World,
  config: Config,
  external: ExternalLogin | undefined,
  { includesToken, isForced, note }: AuthOptions,
): Promise<JsonObject> {
  if (external) {
    const authToken = includesToken ? external.accessToken : null;
    return { authMethod: "chatgptAuthTokens", authToken, requiresOpenaiAuth: true };
  }
  const { authMode, loggedIn } = await readStatus(world, config);
  const mode = loggedIn ? authMode : null;
  // A personal access token is never given out here, as the reference does not.
  const wantsToken = includesToken && (mode === "apikey" || mode === "chatgpt");
  return {
    authMethod: isForeign(mode) ? null : mode,
    authToken: wantsToken
      ? await readToken(world, config, isForced && mode === "chatgpt", note)
      : null,
    requiresOpenaiAuth: !isForeign(mode),
  };
}

/** Null when nobody can use the login any more; while the issuer cannot be asked, what is stored. */
async function readToken(
  world: World,
  config: Config,
  isForced: boolean,
  note: (message: string) => void,
): Promise<string | null> {
  const obtain = async (forced: boolean): Promise<string> =>
    (await obtainToken(world, config, { minTtlMs: undefined, isForced: forced, tell: note })).token;
  try {
    return await obtain(isForced).catch((thrown) => {
      if (!isForced || toLoginError(thrown).exitCode === EXIT_SIGN_IN_AGAIN) throw thrown;
      return obtain(false);
    });
  } catch (thrown) {
    const error = toLoginError(thrown);
    if (error.exitCode !== EXIT_SIGN_IN_AGAIN) throw error;
    note(`${error.message}.`);
    return null;
  }
}
