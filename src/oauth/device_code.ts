import { LoginError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { printable } from "../printable.ts";
import { parseRfc3339 } from "../rfc3339.ts";

/** What a person enters on another device, and how long that is of use. */
export interface DeviceCode {
  /** An address without a secret in it. */
  readonly verificationUrl: string;
  /** Letters, digits and hyphens. */
  readonly userCode: string;
  /** Milliseconds between two questions whether it is done. */
  readonly intervalMs: number;
  /** Milliseconds, from the answer on. */
  readonly lifetimeMs: number;
}

const DEFAULT_INTERVAL_S = 5;
const MIN_INTERVAL_S = 1;
const MAX_INTERVAL_S = 60;
/** Also the longest: a code that waits is a code that somebody can be talked into entering. */
export const LIFETIME_MS = 900_000;

/** What people can tell apart and type. */
const USER_CODE = /^[A-Za-z0-9-]{4,16}$/;

/**
 * The code as it is shown: what cannot be seen in it is dropped, and what then is not plain is refused.
 *
 * @throws {LoginError} TOKEN_RESPONSE_INVALID
 */
export function readUserCode(given: string): string {
  const code = printable(given);
  if (USER_CODE.test(code)) return code;
  throw unusable("its user code is not 4 to 16 letters, digits and hyphens");
}

/**
 * Milliseconds between two questions: seconds in a number or in text, between 1 and 60. What is no number counts as absent.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2
 */
export function readInterval(interval: unknown): number {
  const seconds = readSeconds(interval) ?? DEFAULT_INTERVAL_S;
  return Math.min(Math.max(seconds, MIN_INTERVAL_S), MAX_INTERVAL_S) * 1_000;
}

/**
 * Milliseconds that a code is good for: until `expires_at` (RFC 3339, or seconds since the epoch), or for `expires_in` seconds.
 * What is unusable counts as absent.
 *
 * @param now the issuer's clock if it told, ms since the epoch.
 */
export function readLifetime(answer: JsonObject, now: number): number {
  const { expires_in: expiresIn, expires_at: expiresAt } = answer;
  const seconds = readSeconds(expiresIn);
  const end = typeof expiresAt === "string" ? parseRfc3339(expiresAt) : undefined;
  const atSeconds = end === undefined ? readSeconds(expiresAt) : end / 1_000;
  const candidates = [
    seconds === undefined ? Number.NaN : seconds * 1_000,
    atSeconds === undefined ? Number.NaN : atSeconds * 1_000 - now,
  ].filter((ms) => ms > 0);
  return Math.min(LIFETIME_MS, ...candidates);
}

export function unusable(reason: string): LoginError {
  return new LoginError("TOKEN_RESPONSE_INVALID", "The issuer's answer is not usable", { reason });
}

function readSeconds(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value;
  return typeof value === "string" && /^\s*\d{1,15}(\.\d+)?\s*$/.test(value)
    ? Number(value)
    : undefined;
}
