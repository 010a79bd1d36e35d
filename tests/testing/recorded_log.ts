import type { Log, LogFields } from "../../src/world.ts";

/** A log that only remembers. */
export function recordLog(): Log & {
  readonly lines: { message: string; fields: LogFields }[];
  readonly hidden: string[];
} {
  const lines: { message: string; fields: LogFields }[] = [];
  const hidden: string[] = [];
  return {
    lines,
    hidden,
    write: (_level, _target, message, fields = {}) => void lines.push({ message, fields }),
    hide: (secret) => void hidden.push(secret),
  };
}
