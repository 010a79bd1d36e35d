/** What of an ELF executable is needed to judge it. */
export interface Elf {
  readonly architecture: "x64" | "arm64";
  /** The program that loads it: it tells the C library. */
  readonly interpreter: string;
  /** The libraries without which it does not start. */
  readonly needed: readonly string[];
  /** The highest version of glibc that it asks for, `2.17`; empty where it asks for none. */
  readonly glibc: string;
}

interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const ARCHITECTURES: ReadonlyMap<number, Elf["architecture"]> = new Map([
  [62, "x64"],
  [183, "arm64"],
]);
const EXECUTABLE = 2;
const SHARED = 3;
const LOAD = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const TAG = { needed: 1n, strings: 5n, versions: 0x6ffffffen, versionCount: 0x6fffffffn };

/**
 * Reads the headers of a 64-bit little-endian executable, and throws where something it says is not in the file.
 *
 * @see https://gabi.xinuos.com/
 */
export function readElf(bytes: Buffer): Elf {
  if (bytes.length < 64 || bytes.toString("latin1", 0, 4) !== "\x7fELF") {
    throw new Error("this is no ELF file");
  }
  if (bytes[4] !== 2 || bytes[5] !== 1) throw new Error("this is not of 64 bits, little-endian");
  if (![EXECUTABLE, SHARED].includes(bytes.readUInt16LE(16))) {
    throw new Error("this is no executable");
  }
  const architecture = ARCHITECTURES.get(bytes.readUInt16LE(18));
  if (!architecture) throw new Error("this is for a processor that is none of ours");
  const headers = readHeaders(bytes);
  const fileOffset = (address: number): number => {
    const found = headers.find((one) =>
      one.type === LOAD && address >= one.address && address < one.address + one.size
    );
    if (!found) throw new Error(`nothing is loaded at ${address}`);
    return address - found.address + found.offset;
  };
  const { offset, size } = one(headers, INTERPRETER, "interpreter");
  const table = readDynamic(bytes, one(headers, DYNAMIC, "table for its libraries"));
  const value = (tag: bigint): number | undefined =>
    table.find((entry) => entry.tag === tag)?.value;
  const strings = fileOffset(value(TAG.strings) ?? 0);
  const versions = value(TAG.versions);
  return {
    architecture,
    interpreter: readText(bytes.subarray(0, offset + size), offset),
    needed: table.filter(({ tag }) => tag === TAG.needed)
      .map((entry) => readText(bytes, strings + entry.value)),
    glibc: versions === undefined
      ? ""
      : readGlibc(bytes, fileOffset(versions), value(TAG.versionCount) ?? 0, strings),
  };
}

function readHeaders(bytes: Buffer): ProgramHeader[] {
  const start = Number(bytes.readBigUInt64LE(32));
  const [entrySize, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if (entrySize !== 56 || start + entrySize * count > bytes.length) {
    throw new Error("the program headers are not in the file");
  }
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entrySize;
    const header = {
      type: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    };
    if (header.size > 0 && header.offset + header.size > bytes.length) {
      throw new Error(`part ${index} is not in the file`);
    }
    return header;
  });
}

function one(headers: readonly ProgramHeader[], type: number, what: string): ProgramHeader {
  const found = headers.find((header) => header.type === type);
  if (!found) throw new Error(`there is no ${what}`);
  return found;
}

function readDynamic(
  bytes: Buffer,
  { offset, size }: ProgramHeader,
): { readonly tag: bigint; readonly value: number }[] {
  const entries = [];
  for (let at = offset; at + 16 <= offset + size; at += 16) {
    const tag = bytes.readBigUInt64LE(at);
    if (tag === 0n) break;
    entries.push({ tag, value: Number(bytes.readBigUInt64LE(at + 8)) });
  }
  return entries;
}

/** Each library has a chain of the versions that are asked for. */
function readGlibc(bytes: Buffer, start: number, count: number, strings: number): string {
  const found: string[] = [];
  let at = start;
  for (let left = count; left > 0; left--) {
    let version = at + bytes.readUInt32LE(at + 8);
    for (let more = bytes.readUInt16LE(at + 2); more > 0; more--) {
      const name = readText(bytes, strings + bytes.readUInt32LE(version + 8));
      const [, number] = /^GLIBC_([\d.]+)$/.exec(name) ?? [];
      if (number) found.push(number);
      version += bytes.readUInt32LE(version + 12);
    }
    at += bytes.readUInt32LE(at + 12);
  }
  const rank = (version: string): number => {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    return 1000 * major + minor;
  };
  return found.sort((a, b) => rank(a) - rank(b)).at(-1) ?? "";
}

function readText(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at >= bytes.length || end < 0) throw new Error("a name is not in the file");
  return bytes.toString("latin1", at, end);
}
