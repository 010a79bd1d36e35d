import { type Account, readAccount } from "./account.ts";
import type { Config } from "./config.ts";
import type { AuthMode, Credentials } from "./credentials/auth_file.ts";
import { isJsonObject } from "./json.ts";
import { decodeClaims } from "./oauth/id_token.ts";
import { readTokenExpiry } from "./token_expiry.ts";
import { environmentValue, type World } from "./world.ts";

const VARIABLE = "CODEX_ACCESS_TOKEN";

/** Whether something that is stored, or set, makes somebody signed in. */
export interface SignIn {
  readonly isSignedIn: boolean;
  /** Null when nothing is there that a program could use. */
  readonly mode: AuthMode | null;
  readonly account: Account | null;
  /** Why a login does not count: the settings allow another method or workspace only. */
  readonly forbiddenBy: "forced_login_method" | "forced_chatgpt_workspace_id" | null;
}

type Rules = Pick<Config, "forcedLoginMethod" | "forcedWorkspaceIds">;

/** What is stored, judged by what it holds and by the settings; nobody is asked. */
export function judgeStored(rules: Rules, stored: Credentials, now: number): SignIn {
  const hasTokens = stored.mode.startsWith("chatgpt") && stored.tokens !== undefined;
  const account = hasTokens ? readAccount(stored.idTokenClaims) : null;
  return judge(rules, isUsable(stored, now) ? stored.mode : null, account);
}

/** A token in the environment, which wins over whatever is stored: a personal access token, or else a JWT. */
export interface Override extends SignIn {
  readonly variable: string;
  /** A secret. */
  readonly token: string;
}

export function readOverride(
  world: Pick<World, "env" | "now">,
  rules: Rules,
): Override | undefined {
  const token = environmentValue(world, VARIABLE);
  if (!token) return undefined;
  const isPersonal = token.startsWith("at-");
  const isUsable = isPersonal ||
    (isJwt(token) && (readTokenExpiry(token) ?? Infinity) > world.now());
  const mode = isPersonal ? "personalAccessToken" : "agentIdentity";
  return { ...judge(rules, isUsable ? mode : null, null), variable: VARIABLE, token };
}

function judge(rules: Rules, mode: AuthMode | null, account: Account | null): SignIn {
  const forbiddenBy = mode && findForbidden(rules, mode, account);
  return { isSignedIn: mode !== null && forbiddenBy === null, mode, account, forbiddenBy };
}

export function isJwt(token: string): boolean {
  try {
    return decodeClaims(token) !== undefined;
  } catch {
    return false;
  }
}

/** Something a program could use: a key, an access token, or tokens that are valid or can be renewed. */
function isUsable(stored: Credentials, now: number): boolean {
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
        (tokens.access_token !== "" && (readTokenExpiry(tokens.access_token) ?? Infinity) > now);
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

function findForbidden(
  { forcedLoginMethod, forcedWorkspaceIds }: Rules,
  mode: AuthMode,
  account: Account | null,
): SignIn["forbiddenBy"] {
  const isKey = mode === "apikey" || mode.startsWith("bedrock");
  if (forcedLoginMethod !== undefined && (forcedLoginMethod === "api") !== isKey) {
    return "forced_login_method";
  }
  if (forcedWorkspaceIds.length === 0 || account === null) return null;
  const isAllowed = account.accountId !== null && forcedWorkspaceIds.includes(account.accountId);
  return isAllowed ? null : "forced_chatgpt_workspace_id";
}
