/**
 * The table of hashes in a macOS signature, and the numbers around it. All of them are big-endian, unlike the file they are in.
 *
 * @see Apple's <kern/cs_blobs.h>
 */
export interface CodeDirectory {
  readonly version: number;
  readonly flags: number;
  readonly identifier: string;
  /** How much of the file is hashed: all before the signature. */
  readonly codeLimit: number;
  readonly pageSize: number;
  /** The part with the code, from which the system decides what may be executed. */
  readonly executable: { readonly offset: number; readonly size: number; readonly flags: number };
  /** One hash for each page. */
  readonly pages: readonly Buffer[];
  /** By the slot of what was hashed: 2, requirements; 5 and 7, entitlements. Zeros stand for nothing. */
  readonly special: ReadonlyMap<number, Buffer>;
}

/** `kSecCodeMagic…` */
export const SUPER_BLOB = 0xfade0cc0;
export const CODE_DIRECTORY = 0xfade0c02;
/** Signed with nobody's key. */
export const AD_HOC = 0x2;
/** What linkers say of theirs: whoever has a key may sign anew. */
export const LINKER_SIGNED = 0x20000;
/** Libraries, debuggers and memory are restricted, unless entitlements say otherwise. */
export const HARDENED = 0x10000;
export const MAIN_BINARY = 0x1;

const HASH_SIZE = 32;
const SHA_256 = 2;
/** The first version that tells where the code is, and the length of its numbers. */
const WITH_EXECUTABLE = 0x20400;
const FIXED_SIZE = 88;

/** Throws where its parts are not in it, or are hashed by another function than SHA-256. */
export function readCodeDirectory(blob: Buffer): CodeDirectory {
  if (blob.length < FIXED_SIZE || blob.readUInt32BE(0) !== CODE_DIRECTORY) {
    throw new Error("this is no code directory");
  }
  const version = blob.readUInt32BE(8);
  if (version < WITH_EXECUTABLE) throw new Error(`version ${version.toString(16)} is too old`);
  if (blob[36] !== HASH_SIZE || blob[37] !== SHA_256) throw new Error("the hashes are not SHA-256");
  if (blob.readUInt32BE(44) !== 0 || blob.readBigUInt64BE(56) !== 0n) {
    throw new Error("this is scattered, or longer than a file of 4 GB");
  }
  const hashesAt = blob.readUInt32BE(16);
  const [specialSlots, slots] = [blob.readUInt32BE(24), blob.readUInt32BE(28)];
  if (
    hashesAt - specialSlots * HASH_SIZE < FIXED_SIZE || hashesAt + slots * HASH_SIZE > blob.length
  ) {
    throw new Error("the hashes are not all in it");
  }
  const hashAt = (slot: number): Buffer => {
    const at = hashesAt + slot * HASH_SIZE;
    return blob.subarray(at, at + HASH_SIZE);
  };
  const identifierAt = blob.readUInt32BE(20);
  return {
    version,
    flags: blob.readUInt32BE(12),
    identifier: blob.toString("utf8", identifierAt, blob.indexOf(0, identifierAt)),
    codeLimit: blob.readUInt32BE(32),
    pageSize: 2 ** (blob[39] ?? 0),
    executable: {
      offset: Number(blob.readBigUInt64BE(64)),
      size: Number(blob.readBigUInt64BE(72)),
      flags: Number(blob.readBigUInt64BE(80)),
    },
    pages: Array.from({ length: slots }, (_, slot) => hashAt(slot)),
    special: new Map(
      Array.from({ length: specialSlots }, (_, slot) => [slot + 1, hashAt(-slot - 1)]),
    ),
  };
}

/** Of the form that linkers make: nothing special is in it. */
export function writeCodeDirectory(
  { version, flags, identifier, codeLimit, pageSize, executable, pages }: Omit<
    CodeDirectory,
    "special"
  >,
): Buffer {
  const name = Buffer.from(`${identifier}\0`);
  const fixed = Buffer.alloc(FIXED_SIZE);
  const hashesAt = FIXED_SIZE + name.length;
  [
    CODE_DIRECTORY,
    hashesAt + pages.length * HASH_SIZE,
    version,
    flags,
    hashesAt,
    FIXED_SIZE,
    0,
    pages.length,
    codeLimit,
  ].forEach((value, index) => fixed.writeUInt32BE(value, 4 * index));
  fixed.set([HASH_SIZE, SHA_256, 0, Math.log2(pageSize)], 36);
  fixed.writeBigUInt64BE(BigInt(executable.offset), 64);
  fixed.writeBigUInt64BE(BigInt(executable.size), 72);
  fixed.writeBigUInt64BE(BigInt(executable.flags), 80);
  return Buffer.concat([fixed, name, ...pages]);
}
