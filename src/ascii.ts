/**
 * Without regular expressions, because their compiler is the dearest part of a start: it takes 2 MiB and half a millisecond when
 * the first of them is used.
 */
export function isVisibleAscii(text: string): boolean {
  return isAscii(text, 0x21);
}

/** The same with spaces. */
export function isPrintableAscii(text: string): boolean {
  return isAscii(text, 0x20);
}

function isAscii(text: string, lowest: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < lowest || unit > 0x7e) return false;
  }
  return true;
}
