import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** What a timer of the runtime can count, in ms: almost 25 days. */
const MAX_MS = 2_147_483_647;

/**
 * Milliseconds of "10m", "90s", "1h30m", "250ms", or a plain number of seconds.
 *
 * @throws {LoginError} USAGE
 */
export function parseDuration(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d{1,9})(ms|s|m|h)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : isWhole
    ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0)
    : Number.NaN;
  if (ms <= MAX_MS) return ms;
  throw new LoginError("USAGE", `${flag} ${printable(text, 40)} is not a duration`, {
    hint: `${flag} 10m (or 90s, 1h, 0 for no limit)`,
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
