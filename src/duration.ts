import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** What a timer of the runtime can count, in ms: almost 25 days. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Milliseconds of "10m", "90s", "1h30m", "30d", "250ms", or a plain number of seconds.
 *
 * @param maxMs the longest that is of use.
 * @throws {LoginError} USAGE
 */
export function parseDuration(text: string, flag: string, maxMs = Infinity): number {
  const parts = [...text.matchAll(/(\d{1,9})(ms|s|m|h|d)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : isWhole
    ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0)
    : Number.NaN;
  if (ms <= maxMs) return ms;
  const what = ms > maxMs
    ? `is longer than ${Math.floor(maxMs / 86_400_000)} days`
    : "is not a duration";
  throw new LoginError("USAGE", `${flag} ${printable(text, 40)} ${what}`, {
    hint: `${flag} 10m (or 90s, 1h30m, 2d)`,
  });
}

/** For people: the largest unit of which there is at least one, rounded. */
export function formatDuration(ms: number): string {
  const units = [["days", 86_400_000], ["hours", 3_600_000], ["min", 60_000], [
    "s",
    1_000,
  ]] as const;
  const [name, length] = units.find(([, one]) => ms >= one) ?? ["ms", 1];
  return `${Math.round(ms / length)} ${name}`;
}
