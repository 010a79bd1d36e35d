import { deflate } from "./deflated.ts";

/** RFC 1952 without a name, a time and a system, so that the same content gives the same bytes. */
export function gzip(content: Uint8Array): Uint8Array {
  const { bytes, crc, size } = deflate(content);
  const unknownSystem = 255;
  const slowest = 2;
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, slowest, unknownSystem]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return Buffer.concat([header, bytes, trailer]);
}
