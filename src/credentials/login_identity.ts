import { createHash } from "node:crypto";
import { readAccount, readIdentity } from "../account.ts";
import { DEFAULT_ISSUER, isSameIssuer } from "../oauth/issuer.ts";
import type { Credentials } from "./auth_file.ts";

/** Longer ids are no ids of the issuer's, and would make the files that repeat them large. */
const MAX_ID_LENGTH = 256;

/** Whose login it is, in a form that refreshes do not change and that holds no secret. */
export interface LoginIdentity {
  readonly accountId: string | null;
  readonly userId: string | null;
  /** Only where the tokens name no user, as with API keys: enough to know the login again, nothing to find a key by. */
  readonly fingerprint?: string | undefined;
}

export function identifyLogin(credentials: Credentials): LoginIdentity {
  const { mode, tokens, idTokenClaims } = credentials;
  const account = tokens && mode.startsWith("chatgpt") ? readAccount(idTokenClaims) : undefined;
  const accountId = shortOrNull(account?.accountId);
  const userId = shortOrNull(account?.userId);
  if (userId !== null && accountId === (account?.accountId ?? null)) return { accountId, userId };
  return { accountId, userId, fingerprint: fingerprintOf(credentials) };
}

export function isSameIdentity(one: LoginIdentity, other: LoginIdentity): boolean {
  return one.accountId === other.accountId && one.userId === other.userId &&
    one.fingerprint === other.fingerprint;
}

/**
 * Whether `next` is what a new sign-in gave, as opposed to the same login refreshed or completed: every sign-in with ChatGPT
 * makes its own `login_owner_id`, which refreshes keep.
 */
export function isNewLogin(next: Credentials, current: Credentials): boolean {
  if (!next.mode.startsWith("chatgpt")) return true;
  const owner = next.tokens?.login_owner_id ?? null;
  return owner !== null && owner !== current.tokens?.login_owner_id;
}

/** Whether the two may share a grant at their issuer, so that revoking one would end both. */
export function mayShareGrant(one: Credentials, other: Credentials): boolean {
  if (!one.tokens || !other.tokens) return false;
  const user = readIdentity(one.idTokenClaims);
  return user !== null && user === readIdentity(other.idTokenClaims) &&
    isSameIssuer(issuerOf(one), issuerOf(other));
}

function issuerOf({ tokens }: Credentials): string {
  return tokens?.oauth_provenance?.issuer ?? DEFAULT_ISSUER;
}

function fingerprintOf(credentials: Credentials): string {
  const { mode, apiKey, personalAccessToken, tokens, idTokenClaims, document } = credentials;
  const isChatGpt = mode.startsWith("chatgpt");
  const { accountId, userId } = readAccount(idTokenClaims);
  const parts = isChatGpt
    ? [accountId, userId, readIdentity(idTokenClaims) ?? tokens?.login_owner_id ?? null]
    : [
      mode === "apikey" ? apiKey ?? null : null,
      personalAccessToken ?? null,
      document["agent_identity"] ?? null,
      document["bedrock_api_key"] ?? null,
      document["bedrock_access_keys"] ?? null,
    ];
  return createHash("sha256").update(JSON.stringify([mode, ...parts])).digest("base64url")
    .slice(0, 22);
}

function shortOrNull(id: string | null | undefined): string | null {
  return id !== null && id !== undefined && id.length <= MAX_ID_LENGTH ? id : null;
}
