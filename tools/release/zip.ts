import { deflate, type Deflated } from "./deflated.ts";
import type { Entry } from "./entry.ts";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
/** 2.0: deflated entries. */
const VERSION_NEEDED = 20;
/** Made by a Unix, so that the mode counts there. */
const MADE_BY = 3 << 8 | VERSION_NEEDED;
const DEFLATED = 8;
const REGULAR_FILE = 0o100000;

/**
 * A zip archive of one file. Windows unpacks it without any program; times in it are UTC.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function zip({ name, mode, content }: Entry, modified: Date): Uint8Array {
  if (modified.getUTCFullYear() < 1980) throw new Error("a zip tells no time before 1980");
  const deflated = deflate(content);
  const nameBytes = Buffer.from(name);
  const common = describe(deflated, nameBytes.length, modified);

  const local = Buffer.alloc(4);
  local.writeUInt32LE(LOCAL_HEADER, 0);

  const central = Buffer.alloc(6);
  central.writeUInt32LE(CENTRAL_HEADER, 0);
  central.writeUInt16LE(MADE_BY, 4);
  // Comment, disk and inner attributes are nothing; the file begins at the archive's first byte.
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE((REGULAR_FILE | mode) * 2 ** 16, 6);

  const file = Buffer.concat([local, common, nameBytes, deflated.bytes]);
  const directory = Buffer.concat([central, common, attributes, nameBytes]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(file.length, 16);
  return Buffer.concat([file, directory, end]);
}

/** What stands both before the file and in the directory. */
function describe({ bytes, crc, size }: Deflated, nameLength: number, modified: Date): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION_NEEDED, 0);
  fields.writeUInt16LE(DEFLATED, 4);
  fields.writeUInt16LE(
    modified.getUTCHours() << 11 | modified.getUTCMinutes() << 5 | modified.getUTCSeconds() >> 1,
    6,
  );
  fields.writeUInt16LE(
    modified.getUTCFullYear() - 1980 << 9 | modified.getUTCMonth() + 1 << 5 | modified.getUTCDate(),
    8,
  );
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(bytes.length, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(nameLength, 22);
  return fields;
}
