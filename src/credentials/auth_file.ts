import * as v from "valibot";
import { LoginError } from "../errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json.ts";
import { decodeClaims } from "../oauth/id_token.ts";
import { parseRfc3339 } from "../rfc3339.ts";

/** The most that auth.json may be, in bytes, and how deep it may nest. */
export const MAX_AUTH_FILE_BYTES = 1 << 20;
const LIMITS = { maxLength: MAX_AUTH_FILE_BYTES, maxDepth: 64 };

const AUTH_MODES = [
  "apikey",
  "chatgpt",
  "chatgptAuthTokens",
  "headers",
  "agentIdentity",
  "personalAccessToken",
  "bedrockApiKey",
  "bedrockAccessKeys",
] as const;

export type AuthMode = typeof AUTH_MODES[number];

const Text = v.optional(v.nullable(v.string()));

const Time = v.pipe(v.string(), v.check((text) => parseRfc3339(text) !== undefined));

const Tokens = v.object({
  id_token: v.string(),
  access_token: v.string(),
  refresh_token: v.string(),
  oauth_provenance: v.optional(v.nullable(v.object({ issuer: v.string(), client_id: v.string() }))),
  login_owner_id: Text,
  account_id: Text,
});

const AuthFile = v.object({
  auth_mode: v.optional(v.nullable(v.picklist(AUTH_MODES))),
  OPENAI_API_KEY: Text,
  tokens: v.optional(v.nullable(Tokens)),
  last_refresh: v.optional(v.nullable(Time)),
  personal_access_token: Text,
});

/** Each token is a secret. */
export interface StoredTokens {
  readonly id_token: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly oauth_provenance?:
    | { readonly issuer: string; readonly client_id: string }
    | null
    | undefined;
  readonly login_owner_id?: string | null | undefined;
  readonly account_id?: string | null | undefined;
}

/** What auth.json holds, checked, beside the document itself with all that is not ours. */
export interface Credentials {
  readonly mode: AuthMode;
  readonly apiKey: string | undefined;
  readonly personalAccessToken: string | undefined;
  readonly tokens: StoredTokens | undefined;
  /** The claims of the stored ID token; empty without tokens. They are not verified again. */
  readonly idTokenClaims: JsonObject;
  readonly lastRefresh: string | undefined;
  readonly document: JsonObject;
}

/**
 * Reads the text of auth.json; undefined when it is blank.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT; its reason names a member at most, never a value.
 */
export function parseAuthFile(text: string): Credentials | undefined {
  const bare = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (bare.trim() === "") return undefined;
  let document: unknown;
  try {
    document = parseJson(bare, LIMITS, keepNumber);
  } catch (thrown) {
    throw corrupt((thrown as Error).message);
  }
  // A number that is kept as it was written is an object as well.
  if (!isJsonObject(document) || !bare.trimStart().startsWith("{")) {
    throw corrupt("it is not a JSON object");
  }
  const parsed = v.safeParse(AuthFile, document);
  if (!parsed.success) {
    throw corrupt(`its member "${v.getDotPath(parsed.issues[0]) ?? ""}" is missing or unusable`);
  }
  const { tokens, OPENAI_API_KEY, personal_access_token, last_refresh } = parsed.output;
  return {
    mode: parsed.output.auth_mode ?? inferMode(document),
    apiKey: OPENAI_API_KEY ?? undefined,
    personalAccessToken: personal_access_token ?? undefined,
    tokens: tokens ?? undefined,
    idTokenClaims: tokens ? storedClaims(tokens.id_token) : {},
    lastRefresh: last_refresh ?? undefined,
    document,
  };
}

/** Two spaces, no newline at the end: byte for byte what the reference writes. */
export function formatAuthFile(document: JsonObject): string {
  return JSON.stringify(document, null, 2);
}

/** Without auth_mode the kinds have an order, and a file with both a key and tokens counts as the key. */
function inferMode(document: JsonObject): AuthMode {
  const has = (name: string): boolean => (document[name] ?? null) !== null;
  if (has("personal_access_token")) return "personalAccessToken";
  if (has("bedrock_api_key")) return "bedrockApiKey";
  if (has("bedrock_access_keys")) return "bedrockAccessKeys";
  return has("OPENAI_API_KEY") ? "apikey" : "chatgpt";
}

function storedClaims(idToken: string): JsonObject {
  try {
    return decodeClaims(idToken);
  } catch {
    throw corrupt('its member "tokens.id_token" is no JWT');
  }
}

/** Keeps a number of somebody else's as it was written: 12345678901234567890 and 1.0 do not survive a double. */
function keepNumber(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
  if (typeof value !== "number" || !rawJSON || source === undefined) return value;
  return String(value) === source ? value : rawJSON(source);
}

function corrupt(reason: string): LoginError {
  return new LoginError("CREDENTIALS_CORRUPT", "The stored credentials are damaged", { reason });
}
