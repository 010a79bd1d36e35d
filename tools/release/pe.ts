/** A part of a Windows executable. */
export interface PeSection {
  readonly name: string;
  readonly address: number;
  readonly memorySize: number;
  readonly offset: number;
  readonly size: number;
  /** Where its header is. */
  readonly headerAt: number;
}

/** What of a Windows executable is needed to judge it, and to name it. */
export interface Pe {
  readonly architecture: "x64" | "arm64";
  readonly isConsole: boolean;
  readonly sections: readonly PeSection[];
  /** Where the address and the length of the resources stand. */
  readonly resourcesAt: number;
  readonly checksumAt: number;
  readonly hasSignature: boolean;
}

const ARCHITECTURES: ReadonlyMap<number, Pe["architecture"]> = new Map([
  [0x8664, "x64"],
  [0xaa64, "arm64"],
]);
const EXECUTABLE = 0x2;
const DLL = 0x2000;
const PE32_PLUS = 0x20b;
const CONSOLE = 3;
const DIRECTORIES = 112;
const RESOURCES = 2;
const CERTIFICATES = 4;

/**
 * Reads the headers of a 64-bit executable, and throws where a section is not in the file.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format
 */
export function readPe(bytes: Buffer): Pe {
  const at = bytes.length >= 64 && bytes.toString("latin1", 0, 2) === "MZ"
    ? bytes.readUInt32LE(60)
    : bytes.length;
  if (at + 24 + DIRECTORIES + 128 > bytes.length || bytes.readUInt32LE(at) !== 0x4550) {
    throw new Error("this is no Windows executable");
  }
  const architecture = ARCHITECTURES.get(bytes.readUInt16LE(at + 4));
  if (!architecture) throw new Error("this is for a processor that is none of ours");
  const flags = bytes.readUInt16LE(at + 22);
  if ((flags & EXECUTABLE) === 0 || (flags & DLL) !== 0) throw new Error("this is no executable");
  const optional = at + 24;
  if (bytes.readUInt16LE(optional) !== PE32_PLUS) throw new Error("this is not of 64 bits");
  const first = optional + bytes.readUInt16LE(at + 20);
  const sections = Array.from({ length: bytes.readUInt16LE(at + 6) }, (_, index) => {
    const headerAt = first + 40 * index;
    if (headerAt + 40 > bytes.length) throw new Error("the sections are not in the file");
    const [name = ""] = bytes.toString("latin1", headerAt, headerAt + 8).split("\0");
    const [memorySize = 0, address = 0, size = 0, offset = 0] = [8, 12, 16, 20]
      .map((field) => bytes.readUInt32LE(headerAt + field));
    if (offset + size > bytes.length) throw new Error(`section ${name} is not in the file`);
    return { name, address, memorySize, offset, size, headerAt };
  });
  const directoryAt = (index: number): number => optional + DIRECTORIES + 8 * index;
  return {
    architecture,
    isConsole: bytes.readUInt16LE(optional + 68) === CONSOLE,
    sections,
    resourcesAt: directoryAt(RESOURCES),
    checksumAt: optional + 64,
    hasSignature: bytes.readUInt32LE(directoryAt(CERTIFICATES)) !== 0,
  };
}

/** Where in the file lies what is at this address in memory. */
export function fileOffset({ sections }: Pick<Pe, "sections">, address: number): number {
  const found = sections.find((one) => address >= one.address && address < one.address + one.size);
  if (!found) throw new Error(`nothing of the file is at ${address}`);
  return address - found.address + found.offset;
}

/** The sum of all 16-bit words, its own taken for zero, folded to 16 bits, and the length. */
export function peChecksum(bytes: Buffer, checksumAt: number): number {
  let sum = 0;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) {
    if (at === checksumAt || at === checksumAt + 2) continue;
    sum += (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  if (even < bytes.length) sum += bytes[even] ?? 0;
  return ((sum & 0xffff) + (sum >>> 16) & 0xffff) + bytes.length;
}
