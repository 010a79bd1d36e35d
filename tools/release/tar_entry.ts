import { gunzipSync } from "node:zlib";

const BLOCK = 512;

/**
 * One file of a packed tar archive, by its path. Read here and not by tar(1), so that nothing is ever put anywhere but what was
 * asked for.
 */
export function readTarEntry(packed: Uint8Array, path: string): Buffer {
  const archive = gunzipSync(packed);
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    const name = readText(header, 0, 100);
    if (name === "") break;
    const prefix = readText(header, 345, 155);
    const size = Number.parseInt(readText(header, 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || at + BLOCK + size > archive.length) {
      throw new Error(`${name} is cut off, or has no size`);
    }
    const isFile = ["0", ""].includes(readText(header, 156, 1));
    if (isFile && (prefix ? `${prefix}/${name}` : name) === path) {
      return archive.subarray(at + BLOCK, at + BLOCK + size);
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(`there is no file ${path}`);
}

function readText(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? length : end);
}
