import type { ErrorCode } from "./error_kinds.ts";
import { LoginError, systemCode } from "./errors.ts";

/** Codes of failed system calls, the same in all runtimes, to ours. */
const BY_SYSTEM_CODE: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: "DNS",
  EAI_AGAIN: "DNS",
  EAI_FAIL: "DNS",
  EAI_NODATA: "DNS",
  EAI_NONAME: "DNS",
  ECONNREFUSED: "CONNECT_REFUSED",
  ECONNRESET: "CONNECTION_RESET",
  ECONNABORTED: "CONNECTION_RESET",
  EPIPE: "CONNECTION_RESET",
  ETIMEDOUT: "CONNECT_TIMEOUT",
  EHOSTUNREACH: "NETWORK",
  ENETUNREACH: "NETWORK",
  ENETDOWN: "NETWORK",
  EADDRNOTAVAIL: "NETWORK",
};

const WHAT: Partial<Record<ErrorCode, string>> = {
  DNS: "no address was found for that name",
  CONNECT_REFUSED: "nothing accepts connections there",
  CONNECT_TIMEOUT: "no connection in time",
  CONNECTION_RESET: "the connection was cut before the answer was complete",
  RESPONSE_TIMEOUT: "connected, but no complete answer in time",
  TLS: "the certificate was not accepted",
  NETWORK: "the network gave an error",
};

/**
 * Classifies a failed call by codes and by how far it came, never by a message text.
 *
 * @param cause one of our codes, or what the runtime threw.
 * @param isReady whether the connection, TLS included, stood: if not, nothing of the request has left.
 */
export function networkError(cause: unknown, url: URL, isReady: boolean): LoginError {
  const own = typeof cause === "string" ? cause as ErrorCode : undefined;
  const system = systemCode(cause);
  const code = own ?? classify(system, url, isReady);
  const detail = own || !system || !/^[A-Z0-9_]{1,64}$/.test(system) ? "" : ` (${system})`;
  return new LoginError(code, `The issuer at ${url.host} could not be asked`, {
    reason: `${WHAT[code] ?? "the call failed"}${detail}`,
    requestSent: isReady,
  });
}

function classify(system: string | undefined, url: URL, isReady: boolean): ErrorCode {
  const known = system === undefined ? undefined : BY_SYSTEM_CODE[system];
  if (known) return known;
  return url.protocol === "https:" && !isReady ? "TLS" : "NETWORK";
}
