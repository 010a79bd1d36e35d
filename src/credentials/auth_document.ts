import { isJsonObject, type JsonObject } from "../json.ts";

/** The top-level members that have a meaning, in the order in which they are written. */
const KNOWN_MEMBERS: ReadonlySet<string> = new Set([
  "auth_mode",
  "OPENAI_API_KEY",
  "tokens",
  "last_refresh",
  "agent_identity",
  "personal_access_token",
  "bedrock_api_key",
  "bedrock_access_keys",
]);

export interface NewLogin {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly loginOwnerId: string;
  readonly accountId: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The document of a ChatGPT login. Of an earlier one only top-level members that nobody knows are kept. */
export function chatGptDocument(login: NewLogin, earlier: JsonObject | undefined): JsonObject {
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: login.idToken,
      access_token: login.accessToken,
      refresh_token: login.refreshToken,
      oauth_provenance: { issuer: login.issuer, client_id: login.clientId },
      login_owner_id: login.loginOwnerId,
      account_id: login.accountId,
    },
    last_refresh: formatTime(login.at),
    ...unknownMembers(earlier),
  };
}

/** The same login with new tokens: everything that was not replaced stays as it was, at every level. */
export function refreshedDocument(
  document: JsonObject,
  tokens: {
    idToken?: string | undefined;
    accessToken?: string | undefined;
    refreshToken?: string | undefined;
  },
  at: number,
): JsonObject {
  const former = isJsonObject(document["tokens"]) ? document["tokens"] : {};
  const replaced = [
    ["id_token", tokens.idToken],
    ["access_token", tokens.accessToken],
    ["refresh_token", tokens.refreshToken],
  ].filter(([, token]) => token !== undefined);
  return {
    ...document,
    tokens: { ...former, ...Object.fromEntries(replaced) },
    last_refresh: formatTime(at),
  };
}

export function personalAccessTokenDocument(
  token: string,
  earlier: JsonObject | undefined,
): JsonObject {
  return { OPENAI_API_KEY: null, personal_access_token: token, ...unknownMembers(earlier) };
}

export function apiKeyDocument(apiKey: string, earlier: JsonObject | undefined): JsonObject {
  return { auth_mode: "apikey", OPENAI_API_KEY: apiKey, ...unknownMembers(earlier) };
}

/** With the nine digits of the reference. */
function formatTime(at: number): string {
  return new Date(at).toISOString().replace("Z", "000000Z");
}

function unknownMembers(document: JsonObject | undefined): JsonObject {
  // fromEntries defines members, so that one named "__proto__" stays data.
  return Object.fromEntries(
    Object.entries(document ?? {}).filter(([name]) => !KNOWN_MEMBERS.has(name)),
  );
}
