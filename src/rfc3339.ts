const FORM =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Reads a time with date, time of day and offset, also with a space for the T. A leap second counts as the last
 * millisecond before it.
 *
 * @returns milliseconds since the epoch, or undefined for any other text and for days that no calendar has.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseRfc3339(text: string): number | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(
    Number,
  );
  const [, , , , , , , fraction = "", sign = "+", offsetHours = "0", offsetMinutes = "0"] = match;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  // Date.UTC takes the years before 100 for those of the last century.
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // The 31st of a short month is rolled over into the next.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const ms = second === 60
    ? 59_999
    : second * 1_000 + Math.floor(Number(`0.${fraction || 0}`) * 1_000);
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -1 : 1);
  return midnight.getTime() + (hour * 60 + minute - offset) * 60_000 + ms;
}

/** In UTC, with milliseconds. */
export function formatRfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
