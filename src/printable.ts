import { withoutSecrets } from "./redaction.ts";

/** The most of any foreign text that is ever shown: an issuer once sent 20 kB of error description. */
const MAX_LENGTH = 300;

/**
 * Makes text from outside safe to show: control characters (C0, C1, DEL), bidirectional and
 * zero-width marks and lone surrogates are dropped, white space is folded to single spaces, and
 * what is left is cut to `maxLength` characters. It does not escape: a page still has to.
 *
 * @param secrets what we sent ourselves and the text may echo. They are cut out of what is left after cleaning, since a mark
 * inside would hide one, and before cutting, since a part of one is too much.
 */
export function printable(
  text: string,
  maxLength: number = MAX_LENGTH,
  secrets: Iterable<string> = [],
): string {
  const clean = text.replace(/(?!\s)\p{C}/gu, "").replace(/\s+/gu, " ").trim();
  const characters = [...withoutSecrets(clean, secrets)];
  if (characters.length <= maxLength) return characters.join("");
  return `${characters.slice(0, maxLength - 1).join("")}…`;
}

/**
 * Shows enough of a key to recognise it and never enough to use it: nothing of a short key, at most
 * a third of a long one, counted in whole characters so that none can be cut in two.
 */
export function maskKey(key: string): string {
  const characters = [...key];
  const isPlain = /^[\x21-\x7e]*$/.test(key);
  if (!isPlain || characters.length < 20) return "***";
  const head = Math.min(8, Math.floor(characters.length / 5));
  const tail = Math.min(4, Math.floor(characters.length / 8));
  return `${characters.slice(0, head).join("")}***${characters.slice(-tail).join("")}`;
}
