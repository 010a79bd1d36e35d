import { LoginError } from "../errors.ts";
import { accessDenied, readRefusal, type Refusal } from "./error_response.ts";
import { readDate } from "./token.ts";

/** What the issuer said when it was asked whether the person is done. */
export type PollAnswer<T> =
  | { readonly kind: "granted"; readonly grant: T }
  /** `retryAfterMs`: it wants to be left alone for so long; 0 when it does not say. */
  | { readonly kind: "pending"; readonly retryAfterMs: number }
  | { readonly kind: "slow down"; readonly retryAfterMs: number }
  | { readonly kind: "unavailable"; readonly why: string; readonly retryAfterMs: number };

export const DEVICE_LOGIN_AGAIN = "codex-login login --device-auth";

/** The longest that a `Retry-After` is obeyed, in ms: what is approved meanwhile should not be lost. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Words that name a denial or an expiry and nothing else: the reference's issuer answers 403 and 404 while it waits, so a
 * `permission_denied` of some gateway must not end a sign-in.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.5
 */
const DENIED =
  /^(([a-z]+_)*(access|authorization|consent|request|user|login|code|deviceauth)_)?(denied|declined|rejected|cancell?ed)$/;
const EXPIRED =
  /^expired(_token)?$|^([a-z]+_)*(token|code|authorization|request|login|deviceauth)_expired$/;
const PENDING = /^([a-z]+_)*pending$/;

/**
 * Judges one answer. What the issuer's own error code says counts for more than the status, also with 200.
 *
 * @param secrets what was sent and may be echoed.
 * @param pendingStatuses mean that the person is not done yet, without a word that says so.
 * @param readGrant of an answer with 200.
 * @throws {LoginError} ACCESS_DENIED, ENTITLEMENT, LOGIN_TIMEOUT when the code has expired, AUTHORIZATION_FAILED for any other
 * end, or what `readGrant` throws.
 */
export async function readPollAnswer<T>(
  response: Response,
  { secrets, pendingStatuses, readGrant, now }: {
    readonly secrets: readonly string[];
    readonly pendingStatuses: readonly number[];
    readonly readGrant: (response: Response) => Promise<T>;
    /** ms since the epoch, to judge a date by that is to be waited for. */
    readonly now: number;
  },
): Promise<PollAnswer<T>> {
  const { status } = response;
  const refusal = await readRefusal(response.clone(), secrets);
  const { code, description } = refusal;
  if (DENIED.test(code)) throw accessDenied(description, description);
  if (EXPIRED.test(code)) throw deviceCodeExpired(description);
  const retryAfterMs = readRetryAfter(response, now);
  if (status === 429 || code === "slow_down") {
    return { kind: "slow down", retryAfterMs };
  }
  if (PENDING.test(code)) return { kind: "pending", retryAfterMs };
  if (status === 408 || status >= 500) {
    return { kind: "unavailable", why: `HTTP ${status}`, retryAfterMs };
  }
  if (status === 200) {
    try {
      return { kind: "granted", grant: await readGrant(response) };
    } catch (thrown) {
      if (code === "") throw thrown;
    }
  }
  if (pendingStatuses.includes(status)) return { kind: "pending", retryAfterMs };
  throw refusedByIssuer("The issuer ended the sign-in", refusal, status);
}

/** Nobody completed it in time. */
export function deviceCodeExpired(reason?: string): LoginError {
  return new LoginError("LOGIN_TIMEOUT", "The code expired before anybody completed the sign-in", {
    ...(reason === undefined ? {} : { reason }),
    hint: DEVICE_LOGIN_AGAIN,
  });
}

export function refusedByIssuer(
  message: string,
  { description }: Pick<Refusal, "description">,
  status: number,
): LoginError {
  return new LoginError("AUTHORIZATION_FAILED", message, {
    reason: description,
    hint: DEVICE_LOGIN_AGAIN,
    status,
  });
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function readRetryAfter(response: Response, now: number): number {
  const given = response.headers.get("retry-after")?.trim() ?? "";
  const at = Date.parse(given) - (readDate(response) ?? now);
  const ms = /^\d{1,15}$/.test(given) ? Number(given) * 1_000 : /^[A-Z]/i.test(given) ? at : 0;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}
