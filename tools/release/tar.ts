import type { Entry } from "./entry.ts";

const BLOCK = 512;

/**
 * A tar archive in the form of POSIX.1-1988 (ustar), which every tar reads. Written here, because a file is a block of numbers
 * in octal and its bytes; real tars judge it in the tests.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export function tar(entries: readonly Entry[], modified: Date): Uint8Array {
  const blocks = entries.flatMap((entry) => [
    header(entry, modified),
    entry.content,
    Buffer.alloc((BLOCK - entry.content.length % BLOCK) % BLOCK),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header({ name, mode, content }: Entry, modified: Date): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long a name for an archive`);
  block.write(name, 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, content.length);
  writeOctal(block, 136, 12, Math.floor(modified.getTime() / 1000));
  block.write("0", 156);
  block.write("ustar\0" + "00", 257);
  block.write("root", 265);
  block.write("root", 297);
  writeOctal(block, 329, 8, 0);
  writeOctal(block, 337, 8, 0);
  // The checksum is made with blanks in its own place.
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8);
  if (digits.length >= length) throw new Error(`${value} is too much for an archive`);
  block.write(`${digits.padStart(length - 1, "0")}\0`, offset);
}
