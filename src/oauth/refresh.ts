import * as v from "valibot";
import type { ErrorCode } from "../error_kinds.ts";
import { LoginError } from "../errors.ts";
import { querySecrets } from "../redaction.ts";
import type { Fetch } from "../world.ts";
import { type ClientRequest, postAsClient } from "./client_post.ts";
import { readRefusal } from "./error_response.ts";
import { FORM_HEADERS, readDate, readTokenAnswer, TokenText } from "./token.ts";

/** Why new tokens are asked for; the reference tells its issuer. */
export type RefreshReason = "proactive_expiry" | "scheduled" | "forced" | "unauthorized_recovery";

export interface RefreshRequest extends ClientRequest {
  readonly clientId: string;
  readonly refreshToken: string;
  readonly reason: RefreshReason;
}

/** What the issuer replaced; what is undefined stays as it was. Each token is a secret. */
export interface RefreshedTokens {
  readonly idToken: string | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The issuer's own clock when it answered, in ms since the epoch, where it told. */
  readonly answeredAt: number | undefined;
}

/** The issuer's words for the end of a refresh token. */
const PERMANENT: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  refresh_token_expired: ["REFRESH_TOKEN_EXPIRED", "The stored login has expired"],
  refresh_token_reused: ["REFRESH_TOKEN_REUSED", "The stored login was renewed somewhere else"],
  refresh_token_invalidated: ["REFRESH_TOKEN_REVOKED", "The stored login was ended at the issuer"],
};

/** Empty counts as missing: then the old one stays, and the login with it. */
const OptionalToken = v.optional(v.nullable(v.union([v.literal(""), TokenText])));

const RefreshResponse = v.object({
  id_token: OptionalToken,
  access_token: OptionalToken,
  refresh_token: OptionalToken,
});

/**
 * Asks for new tokens, in JSON with the members and the order of the reference. An issuer that reads only the form of RFC
 * 6749 says so (415, or 400 invalid_request) without having looked at the token: it is asked once more in that form.
 *
 * @param remainingMs how long the issuer may still take, in ms: both requests share it.
 * @throws {LoginError} REFRESH_TOKEN_EXPIRED, …_REUSED, …_REVOKED or REFRESH_REFUSED when the login cannot be renewed any
 * more; REFRESH_FAILED when it may be later; or what the transport throws.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export async function requestRefresh(
  fetch: Fetch,
  request: RefreshRequest,
  remainingMs: () => number,
): Promise<RefreshedTokens> {
  const { clientId, refreshToken, reason } = request;
  const post = (body: string, type: string): Promise<Response> =>
    postAsClient(fetch, request, body, type, { limitMs: Math.max(1, remainingMs()) });
  const grant = { client_id: clientId, grant_type: "refresh_token" };
  const members = { ...grant, refresh_reason: reason, refresh_token: refreshToken };
  const secrets = [refreshToken, ...querySecrets(request.endpoint)];
  let response = await post(JSON.stringify(members), "application/json");
  if (response.status === 200) return await readRefreshedTokens(response);
  let refusal = await readRefusal(response, secrets);
  const isUnread = response.status === 415 ||
    (response.status === 400 && refusal.code === "invalid_request");
  if (isUnread && remainingMs() > 0) {
    const form = new URLSearchParams({ ...grant, refresh_token: refreshToken });
    response = await post(form.toString(), FORM_HEADERS["content-type"]);
    if (response.status === 200) return await readRefreshedTokens(response);
    refusal = await readRefusal(response, secrets);
  }
  const { status } = response;
  const known = Object.hasOwn(PERMANENT, refusal.code) ? PERMANENT[refusal.code] : undefined;
  const isRefused = status === 401 || (status === 400 && refusal.code === "invalid_grant");
  const [code, message] = known ??
    (isRefused
      ? ["REFRESH_REFUSED", "The issuer does not renew the stored login any more"] as const
      : ["REFRESH_FAILED", "The issuer could not renew the login"] as const);
  throw new LoginError(code, message, { reason: refusal.description, status });
}

async function readRefreshedTokens(response: Response): Promise<RefreshedTokens> {
  try {
    // The issuer has rotated the token by now: how it labels a good answer must not cost the login.
    const { id_token, access_token, refresh_token } = await readTokenAnswer(
      response,
      RefreshResponse,
      { anyType: true },
    );
    if (!id_token && !access_token && !refresh_token) throw new Error("no token");
    return {
      idToken: id_token || undefined,
      accessToken: access_token || undefined,
      refreshToken: refresh_token || undefined,
      answeredAt: readDate(response),
    };
  } catch (thrown) {
    const reason = thrown instanceof LoginError ? thrown.reason : "it holds no token";
    throw new LoginError("REFRESH_FAILED", "The issuer's answer is not usable", {
      ...(reason === undefined ? {} : { reason }),
    });
  }
}
