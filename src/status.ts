import { type Account, readAccount } from "./account.ts";
import type { Config } from "./config.ts";
import type { AuthMode, Credentials } from "./credentials/auth_file.ts";
import { openStore } from "./credentials/open_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { decodeClaims } from "./oauth/id_token.ts";
import { DEFAULT_ISSUER } from "./oauth/issuer.ts";
import { maskKey } from "./printable.ts";
import { environmentValue, type World } from "./world.ts";

const OVERRIDE = "CODEX_ACCESS_TOKEN";

/** Who is signed in. All times are RFC 3339 in UTC; all text from tokens is foreign. */
export interface Status {
  readonly loggedIn: boolean;
  readonly authMode: AuthMode | null;
  readonly account: Account | null;
  readonly accessToken: { readonly expiresAt: string | null; readonly expired: boolean } | null;
  readonly lastRefresh: string | null;
  /** Masked. */
  readonly apiKey: string | null;
  readonly store: CredentialStore["kind"];
  readonly path: string;
  readonly issuer: string | null;
  /** The environment variable that programs use instead of what is stored. */
  readonly overriddenBy: string | null;
  /** Why a stored login does not count: the settings allow another method or workspace only. */
  readonly forbiddenBy: "forced_login_method" | "forced_chatgpt_workspace_id" | null;
}

const NOBODY: Omit<Status, "store" | "path"> = {
  loggedIn: false,
  authMode: null,
  account: null,
  accessToken: null,
  lastRefresh: null,
  apiKey: null,
  issuer: null,
  overriddenBy: null,
  forbiddenBy: null,
};

/**
 * Reads who is signed in. It asks nobody and changes nothing.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function readStatus(world: World, config: Config): Promise<Status> {
  const store = openStore(world, config);
  const place = { store: store.kind, path: store.path };
  const override = environmentValue(world, OVERRIDE);
  if (override) return { ...NOBODY, ...place, ...readOverride(override, world.now()) };
  const stored = await store.load();
  if (!stored) return { ...NOBODY, ...place };
  const tokens = stored.mode === "chatgpt" ? stored.tokens : undefined;
  const account = tokens ? readAccount(stored.idTokenClaims) : null;
  const accessToken = tokens ? readExpiry(tokens.access_token, world.now()) : null;
  const isComplete = isLogin(stored, accessToken);
  const forbiddenBy = isComplete ? findForbidden(config, stored, account) : null;
  return {
    ...NOBODY,
    ...place,
    loggedIn: isComplete && forbiddenBy === null,
    authMode: isComplete ? stored.mode : null,
    account,
    accessToken,
    lastRefresh: stored.lastRefresh ? new Date(stored.lastRefresh).toISOString() : null,
    apiKey: stored.mode === "apikey" && stored.apiKey ? maskKey(stored.apiKey) : null,
    issuer: tokens ? tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER : null,
    forbiddenBy,
  };
}

/** A token in the environment wins over whatever is stored: a personal access token, or else a JWT. */
function readOverride(token: string, now: number): Partial<Status> {
  if (token.startsWith("at-")) {
    return { loggedIn: true, authMode: "personalAccessToken", overriddenBy: OVERRIDE };
  }
  const accessToken = isJwt(token) ? readExpiry(token, now) : null;
  const loggedIn = accessToken?.expired === false;
  return {
    loggedIn,
    authMode: loggedIn ? "agentIdentity" : null,
    accessToken,
    overriddenBy: OVERRIDE,
  };
}

function isJwt(token: string): boolean {
  try {
    return decodeClaims(token) !== undefined;
  } catch {
    return false;
  }
}

/** Something a program could use: a key, an access token, or tokens that are valid or can be renewed. */
function isLogin(
  { mode, apiKey, personalAccessToken, tokens }: Credentials,
  accessToken: Status["accessToken"],
): boolean {
  switch (mode) {
    case "apikey":
      return Boolean(apiKey);
    case "personalAccessToken":
      return Boolean(personalAccessToken);
    case "chatgpt":
      if (!tokens) return false;
      return tokens.refresh_token !== "" ||
        (tokens.access_token !== "" && accessToken?.expired === false);
    default:
      // Of another program, which alone can say whether it is still good.
      return true;
  }
}

/** An access token that is no JWT has no time that we could read: it counts as valid. */
function readExpiry(accessToken: string, now: number): Status["accessToken"] {
  let exp: unknown;
  try {
    exp = decodeClaims(accessToken)["exp"];
  } catch {
    return { expiresAt: null, expired: accessToken === "" };
  }
  const expiry = typeof exp === "number" ? new Date(exp * 1000) : undefined;
  if (!expiry || Number.isNaN(expiry.getTime())) return { expiresAt: null, expired: false };
  return { expiresAt: expiry.toISOString(), expired: expiry.getTime() <= now };
}

function findForbidden(
  { forcedLoginMethod, forcedWorkspaceIds }: Config,
  { mode }: Credentials,
  account: Account | null,
): Status["forbiddenBy"] {
  const isKey = mode === "apikey" || mode.startsWith("bedrock");
  if (forcedLoginMethod !== undefined && (forcedLoginMethod === "api") !== isKey) {
    return "forced_login_method";
  }
  if (forcedWorkspaceIds.length === 0 || account === null) return null;
  const isAllowed = account.accountId !== null && forcedWorkspaceIds.includes(account.accountId);
  return isAllowed ? null : "forced_chatgpt_workspace_id";
}
