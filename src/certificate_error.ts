import { describeClockOffset } from "./clock_offset.ts";
import type { ErrorCode } from "./error_kinds.ts";
import { LoginError } from "./errors.ts";
import type { TlsReport } from "./hops.ts";
import { printable } from "./printable.ts";
import { formatRfc3339 } from "./rfc3339.ts";

/** Codes of the TLS library, the same in all runtimes, to ours. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  CERT_HAS_EXPIRED: "TLS_EXPIRED",
  CERT_NOT_YET_VALID: "TLS_NOT_YET_VALID",
  ERR_TLS_CERT_ALTNAME_INVALID: "TLS_WRONG_NAME",
  HOSTNAME_MISMATCH: "TLS_WRONG_NAME",
  DEPTH_ZERO_SELF_SIGNED_CERT: "TLS_UNTRUSTED",
  SELF_SIGNED_CERT_IN_CHAIN: "TLS_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT: "TLS_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "TLS_UNTRUSTED",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "TLS_UNTRUSTED",
  CERT_SIGNATURE_FAILURE: "TLS_UNTRUSTED",
  CERT_UNTRUSTED: "TLS_UNTRUSTED",
  CERT_REJECTED: "TLS_UNTRUSTED",
  INVALID_CA: "TLS_UNTRUSTED",
  INVALID_PURPOSE: "TLS_UNTRUSTED",
};

export function isCertificateCode(code: string | undefined): code is string {
  return code !== undefined && Object.hasOwn(BY_CODE, code);
}

export function isUntrustedCode(code: string | undefined): boolean {
  return isCertificateCode(code) && BY_CODE[code] === "TLS_UNTRUSTED";
}

const WHAT: Partial<Record<ErrorCode, string>> = {
  TLS_UNTRUSTED: "nobody who is trusted here vouches for its certificate",
  TLS_EXPIRED: "its certificate has expired",
  TLS_NOT_YET_VALID: "its certificate is not valid yet",
  TLS_WRONG_NAME: "its certificate is for another name",
};

/** More than that is worth a word. In seconds. */
const CLOCK_TOLERANCE_S = 300;

/**
 * Why a certificate was refused, with what a second look at it showed.
 *
 * @param code of the TLS library.
 * @param now this computer's clock, ms since the epoch.
 */
export function certificateError(
  code: string,
  url: URL,
  report: TlsReport | undefined,
  now: number,
): LoginError {
  const isEarly = report !== undefined && isBefore(now, report.validFrom);
  const isLate = report !== undefined && isBefore(report.validUntil, now);
  // Libraries differ in what they look at first: the dates count before all else, or runtimes would differ too.
  const kind = isEarly ? "TLS_NOT_YET_VALID" : isLate ? "TLS_EXPIRED" : BY_CODE[code] ?? "TLS";
  const parts = [`${WHAT[kind] ?? "its certificate was not accepted"} (${code})`];
  if (report) parts.push(describe(report, kind));
  if (report && (isEarly || isLate)) parts.push(describeClock(report, now));
  return new LoginError(kind, `The connection to ${url.host} is not secure`, {
    reason: printable(parts.join("; ")),
    requestSent: false,
  });
}

function isBefore(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a < b;
}

/** Whether a clock can be the reason that it is refused. */
export function isOutOfDate(
  report: Pick<TlsReport, "validFrom" | "validUntil">,
  now: number,
): boolean {
  return isBefore(now, report.validFrom) || isBefore(report.validUntil, now);
}

/** Of a name in a certificate: what follows has to be seen as well. */
const MAX_NAME = 80;

function describe(report: TlsReport, kind: ErrorCode): string {
  const { validFrom, validUntil } = report;
  const subject = printable(report.subject, MAX_NAME);
  const issuer = printable(report.issuer, MAX_NAME);
  const time = (ms: number | undefined): string => ms === undefined ? "?" : formatRfc3339(ms);
  if (kind === "TLS_NOT_YET_VALID") return `it is by ${issuer}, valid from ${time(validFrom)}`;
  if (kind === "TLS_EXPIRED") return `it is by ${issuer}, valid until ${time(validUntil)}`;
  const made = subject === issuer ? "made by itself" : `by ${issuer}`;
  return `it is for ${subject}, ${made}`;
}

function describeClock({ date }: TlsReport, now: number): string {
  const told = `this computer's clock says ${formatRfc3339(now)}`;
  if (date === undefined) return told;
  const seconds = Math.round((now - date) / 1_000);
  if (Math.abs(seconds) <= CLOCK_TOLERANCE_S) return `${told}, as does the server's`;
  return `${told}. ${describeClockOffset(seconds)}`;
}
