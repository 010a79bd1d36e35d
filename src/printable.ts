import { isPrintableAscii, isVisibleAscii } from "./ascii.ts";
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
  const clean = isPlain(text) ? text : withoutControls(text);
  const characters = [...withoutSecrets(clean, secrets)];
  if (characters.length <= maxLength) return characters.join("");
  return `${characters.slice(0, maxLength - 1).join("")}…`;
}

/** Most texts have nothing to be dropped or folded. */
function isPlain(text: string): boolean {
  return isPrintableAscii(text) && !text.includes("  ") && !text.startsWith(" ") &&
    !text.endsWith(" ");
}

function withoutControls(text: string): string {
  return text.replace(/(?!\s)\p{C}/gu, "").replace(/\s+/gu, " ").trim();
}

/**
 * Shows enough of a key to recognise it and never enough to use it: nothing of a short key, at most
 * a third of a long one, counted in whole characters so that none can be cut in two.
 */
export function maskKey(key: string): string {
  const characters = [...key];
  if (!isVisibleAscii(key) || characters.length < 20) return "***";
  const head = Math.min(8, Math.floor(characters.length / 5));
  const tail = Math.min(4, Math.floor(characters.length / 8));
  return `${characters.slice(0, head).join("")}***${characters.slice(-tail).join("")}`;
}
