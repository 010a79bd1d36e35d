import { formatDuration } from "./duration.ts";

/** What a person should do about a clock that is `seconds` ahead of the issuer's. */
export function describeClockOffset(seconds: number): string {
  const direction = seconds > 0 ? "ahead of" : "behind";
  const offset = formatDuration(Math.abs(seconds) * 1_000);
  return `This computer's clock is ${offset} ${direction} the issuer's; set it right.`;
}
