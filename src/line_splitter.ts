/** A line without its end, or how many bytes of one that was too long were passed over. */
export type Line = { readonly text: string } | { readonly tooLong: number };

const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into lines of UTF-8. Of a line that is longer than `maxBytes` nothing is kept, and the lines after it
 * come as they are.
 *
 * @returns takes the next bytes; without any it hands over a last line that has no end.
 */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: Line) => void,
): (bytes?: Uint8Array) => void {
  let parts: Uint8Array[] = [];
  let length = 0;

  function add(part: Uint8Array): void {
    length += part.length;
    if (length > maxBytes) parts = [];
    else if (part.length > 0) parts.push(part.slice());
  }
  function finish(): void {
    const line: Line = length > maxBytes
      ? { tooLong: length }
      : { text: Buffer.concat(parts).toString("utf8").replace(/\r$/, "") };
    parts = [];
    length = 0;
    onLine(line);
  }

  return (bytes) => {
    if (bytes === undefined) {
      if (length > 0) finish();
      return;
    }
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      add(bytes.subarray(start, end));
      finish();
      start = end + 1;
    }
    add(bytes.subarray(start));
  };
}
