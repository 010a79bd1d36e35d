import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";

/** A name is a file's name too: no separators, nothing hidden, nothing that looks like an option. */
const NAME = /^[A-Za-z0-9_@][A-Za-z0-9._@-]{0,63}$/;
/** `profiles/active.json` is no profile. */
const RESERVED = "active";

export function isProfileName(name: string): boolean {
  return NAME.test(name) && name.toLowerCase() !== RESERVED;
}

/** @throws {LoginError} USAGE */
export function parseProfileName(name: string): string {
  if (isProfileName(name)) return name;
  throw new LoginError("USAGE", `"${printable(name, 40)}" cannot be the name of a profile`, {
    reason: name.toLowerCase() === RESERVED
      ? "the file of that name says which profile is in use"
      : "a name is 1 to 64 letters, digits and . _ @ -, and begins with a letter, a digit, _ or @",
    hint: "choose another name, like work or ada@example.com",
  });
}

/** Names that differ in case only are one file on many disks, so nobody gets both. */
export function findProfileName(names: readonly string[], name: string): string | undefined {
  return names.find((one) => one.toLowerCase() === name.toLowerCase());
}
