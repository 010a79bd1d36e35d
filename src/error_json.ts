import type { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";

/** An error for programs. */
export function errorJson(
  { code, message, reason, hint }: LoginError,
): Record<string, string | null> {
  return { code, message: printable(message), cause: reason ? printable(reason) : null, hint };
}
