import { type Account, readAccount } from "./account.ts";
import type { Config } from "./config.ts";
import type { AuthMode, Credentials } from "./credentials/auth_file.ts";
import { openStore } from "./credentials/open_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { isJsonObject } from "./json.ts";
import { decodeClaims } from "./oauth/id_token.ts";
import { DEFAULT_ISSUER } from "./oauth/issuer.ts";
import { maskKey } from "./printable.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";
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
  /** Of the file; null in the keyring. */
  readonly path: string | null;
  readonly issuer: string | null;
  /** The environment variable that programs use instead of what is stored. */
  readonly overriddenBy: string | null;
  /** Why a stored login does not count: the settings allow another method or workspace only. */
  readonly forbiddenBy: "forced_login_method" | "forced_chatgpt_workspace_id" | null;
  /** What a person should know of the place where it was looked for. */
  readonly notes: readonly string[];
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
  notes: [],
};

/**
 * Reads who is signed in. It asks nobody and changes nothing.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT, CREDENTIALS_UNREADABLE or KEYRING_UNAVAILABLE
 */
export async function readStatus(world: World, config: Config): Promise<Status> {
  const store = openStore(world, config);
  const override = environmentValue(world, OVERRIDE);
  if (override) {
    const own = { store: store.kind, path: store.path };
    return { ...NOBODY, ...own, ...readOverride(override, config, world.now()) };
  }
  const notes: string[] = [];
  const stored = await store.load((note) => void notes.push(note));
  const place = { store: store.kind, path: store.path, notes };
  if (!stored) return { ...NOBODY, ...place };
  const tokens = stored.mode.startsWith("chatgpt") ? stored.tokens : undefined;
  const account = tokens ? readAccount(stored.idTokenClaims) : null;
  const accessToken = tokens ? readExpiry(tokens.access_token, world.now()) : null;
  const isComplete = isLogin(stored, accessToken);
  const forbiddenBy = isComplete ? findForbidden(config, stored.mode, account) : null;
  return {
    ...NOBODY,
    ...place,
    loggedIn: isComplete && forbiddenBy === null,
    authMode: isComplete ? stored.mode : null,
    account,
    accessToken,
    lastRefresh: formatLastRefresh(stored.lastRefresh),
    apiKey: stored.mode === "apikey" && stored.apiKey ? maskKey(stored.apiKey) : null,
    issuer: tokens ? tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER : null,
    forbiddenBy,
  };
}

function formatLastRefresh(text: string | undefined): string | null {
  const ms = text === undefined ? undefined : parseRfc3339(text);
  return ms === undefined ? null : formatRfc3339(ms);
}

/** A token in the environment wins over whatever is stored: a personal access token, or else a JWT. */
function readOverride(token: string, config: Config, now: number): Partial<Status> {
  const isPersonal = token.startsWith("at-");
  const mode = isPersonal ? "personalAccessToken" : "agentIdentity";
  const accessToken = !isPersonal && isJwt(token) ? readExpiry(token, now) : null;
  const isComplete = isPersonal || accessToken?.expired === false;
  const forbiddenBy = isComplete ? findForbidden(config, mode, null) : null;
  return {
    loggedIn: isComplete && forbiddenBy === null,
    authMode: isComplete ? mode : null,
    accessToken,
    overriddenBy: OVERRIDE,
    forbiddenBy,
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
function isLogin(stored: Credentials, accessToken: Status["accessToken"]): boolean {
  const { apiKey, personalAccessToken, tokens, document } = stored;
  const has = (name: string, ...members: string[]): boolean =>
    members.every((member) => {
      const value = document[name];
      return isJsonObject(value) && typeof value[member] === "string" && value[member] !== "";
    });
  switch (stored.mode) {
    case "apikey":
      return Boolean(apiKey);
    case "personalAccessToken":
      return Boolean(personalAccessToken);
    case "chatgpt":
    case "chatgptAuthTokens":
      if (!tokens) return false;
      return tokens.refresh_token !== "" ||
        (tokens.access_token !== "" && accessToken?.expired === false);
    case "bedrockApiKey":
      return has("bedrock_api_key", "api_key");
    case "bedrockAccessKeys":
      return has("bedrock_access_keys", "access_key_id", "secret_access_key");
    case "agentIdentity":
      return Boolean(document["agent_identity"]);
    case "headers":
      return false;
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
  mode: AuthMode,
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
