import { LoginError } from "../errors.ts";
import { readRequestId } from "./error_response.ts";

/**
 * An answer that is none of the endpoint's own: the issuer has a fault or takes no more requests, wants a person, or did not give
 * it at all. Told by status and headers alone, so that it is the same whichever endpoint was asked.
 *
 * @param words what it said, cleaned.
 * @param secrets what was sent, should the name of the request repeat it.
 * @returns undefined when the endpoint itself refused.
 */
export function answerFault(
  { status, headers }: Pick<Response, "status" | "headers">,
  words: string,
  secrets: readonly string[] = [],
): LoginError | undefined {
  const details = { reason: withRequestId(words, headers, secrets), status };
  const isPage = /html/i.test(headers.get("content-type") ?? "");
  if (status === 511) {
    return new LoginError("CAPTIVE_PORTAL", "A web page answered in the issuer's place", details);
  }
  if (status >= 500) return new LoginError("ISSUER_FAULT", "The issuer has a fault", details);
  if (status === 429) {
    const wait = headers.get("retry-after") ?? "";
    const told = /^\d{1,6}$/.test(wait) ? `; it asks to wait ${wait} s` : "";
    return new LoginError("RATE_LIMITED", "The issuer takes no more requests for a while", {
      ...details,
      reason: details.reason + told,
    });
  }
  if (status === 403 && (isPage || headers.get("cf-mitigated") === "challenge")) {
    return new LoginError("CHALLENGE", "The issuer wants proof that this is no robot", details);
  }
  return undefined;
}

/** So that the issuer's support can find it. */
export function withRequestId(
  words: string,
  headers: Headers,
  secrets: readonly string[],
): string {
  const id = readRequestId(headers, secrets);
  return id === undefined ? words : `${words} (request ${id})`;
}
