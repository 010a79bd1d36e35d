import type { ErrorCode } from "./error_kinds.ts";
import { LoginError, systemCode } from "./errors.ts";

/** How far a call came: looking up the name, connecting, a proxy's tunnel, TLS; or the request has left. */
export type Stage = "dns" | "tcp" | "proxy" | "tls" | "sent";

/** Codes of failed system calls, the same in all runtimes, to ours. */
const BY_SYSTEM_CODE: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: "DNS",
  ENODATA: "DNS",
  EAI_NODATA: "DNS",
  EAI_NONAME: "DNS",
  EAI_AGAIN: "DNS_TIMEOUT",
  EAI_FAIL: "DNS_TIMEOUT",
  ESERVFAIL: "DNS_TIMEOUT",
  ETIMEOUT: "DNS_TIMEOUT",
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
  DNS_TIMEOUT: "the name servers gave no answer",
  CONNECT_REFUSED: "nothing accepts connections there",
  CONNECT_TIMEOUT: "no connection in time",
  CONNECTION_RESET: "the connection was cut before the answer was complete",
  RESPONSE_TIMEOUT: "connected, but no complete answer in time",
  TLS: "no secure connection could be made",
  NETWORK: "the network gave an error",
};

/** The code of a limit that ran out. */
const BY_STAGE: Readonly<Record<Stage, ErrorCode>> = {
  dns: "DNS_TIMEOUT",
  tcp: "CONNECT_TIMEOUT",
  proxy: "CONNECT_TIMEOUT",
  tls: "CONNECT_TIMEOUT",
  sent: "RESPONSE_TIMEOUT",
};

/**
 * Classifies a failed call by codes and by how far it came, never by a message text.
 *
 * @param cause what the runtime threw, one of our codes, or `TIMEOUT` when a limit ran out.
 * @param stage `sent` when some of the request may have left.
 */
export function networkError(cause: unknown, url: URL, stage: Stage): LoginError {
  const own = cause === "TIMEOUT"
    ? BY_STAGE[stage]
    : typeof cause === "string"
    ? cause as ErrorCode
    : undefined;
  const system = systemCode(cause);
  const code = own ?? classify(system, stage);
  const detail = own || !system || !/^[A-Z0-9_]{1,64}$/.test(system) ? "" : ` (${system})`;
  return new LoginError(code, `The issuer at ${url.host} could not be asked`, {
    reason: `${WHAT[code] ?? "the call failed"}${detail}`,
    requestSent: stage === "sent",
  });
}

function classify(system: string | undefined, stage: Stage): ErrorCode {
  const isKnown = system !== undefined && Object.hasOwn(BY_SYSTEM_CODE, system);
  const known = isKnown ? BY_SYSTEM_CODE[system] : undefined;
  if (known) return known;
  return stage === "tls" ? "TLS" : "NETWORK";
}
