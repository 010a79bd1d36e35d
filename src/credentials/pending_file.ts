/** The complete copy beside a file that is being written in place. */
export function pendingPath(target: string): string {
  return `${target}.pending`;
}

/** Holds the place of the first byte while the others are written: with it no file is JSON. */
export const UNFINISHED = new Uint8Array([0]);

/** Whether this text is of a file that is being written; what a power cut filled with zeros is not. */
export function isUnfinished(text: string): boolean {
  return text.startsWith("\0") && text[1] !== "\0";
}
