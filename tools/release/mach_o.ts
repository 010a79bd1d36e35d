/** A part of a Mach-O file that is mapped into memory. */
export interface Segment {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly memorySize: number;
  /** Where its load command is. */
  readonly commandAt: number;
}

/** What of a Mach-O executable is needed to judge it, and to sign it. */
export interface MachO {
  readonly architecture: "x64" | "arm64";
  readonly segments: readonly Segment[];
  /** The dynamic libraries it names. */
  readonly libraries: readonly string[];
  /** The least macOS it runs on, `13.0`. */
  readonly minimumSystem: string;
  /** Where the signature is, and its load command. */
  readonly signature: {
    readonly offset: number;
    readonly size: number;
    readonly commandAt: number;
  };
}

const MAGIC_64 = 0xfeedfacf;
const ARCHITECTURES: ReadonlyMap<number, MachO["architecture"]> = new Map([
  [0x01000007, "x64"],
  [0x0100000c, "arm64"],
]);
const EXECUTE = 2;
const HEADER_SIZE = 32;
const LOAD_DYLIB = 0xc;
const SEGMENT_64 = 0x19;
const CODE_SIGNATURE = 0x1d;
const BUILD_VERSION = 0x32;

/**
 * Reads the header of a 64-bit executable, and throws where its parts do not fit together: segments lie in the file without
 * gaps, one behind the other, and the signature ends the last of them and the file.
 *
 * @see Apple's <mach-o/loader.h>
 */
export function readMachO(bytes: Buffer): MachO {
  if (bytes.length < HEADER_SIZE || bytes.readUInt32LE(0) !== MAGIC_64) {
    throw new Error("this is no Mach-O file of 64 bits");
  }
  const architecture = ARCHITECTURES.get(bytes.readUInt32LE(4));
  if (!architecture) throw new Error("this is for a processor that is none of ours");
  if (bytes.readUInt32LE(12) !== EXECUTE) throw new Error("this is no executable");
  const segments: Segment[] = [];
  const libraries: string[] = [];
  let minimumSystem = "";
  let signature: MachO["signature"] | undefined;
  const end = HEADER_SIZE + bytes.readUInt32LE(20);
  let at = HEADER_SIZE;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const size = at + 8 <= end ? bytes.readUInt32LE(at + 4) : 0;
    if (size < 8 || at + size > end || end > bytes.length) {
      throw new Error(`the load command at ${at} does not fit`);
    }
    const command = bytes.subarray(at, at + size);
    switch (command.readUInt32LE(0)) {
      case SEGMENT_64:
        segments.push({
          name: readText(command, 8, 24),
          memorySize: Number(command.readBigUInt64LE(32)),
          offset: Number(command.readBigUInt64LE(40)),
          size: Number(command.readBigUInt64LE(48)),
          commandAt: at,
        });
        break;
      case LOAD_DYLIB:
        libraries.push(readText(command, command.readUInt32LE(8), size));
        break;
      case BUILD_VERSION: {
        const version = command.readUInt32LE(12);
        minimumSystem = `${version >> 16}.${(version >> 8) & 0xff}`;
        break;
      }
      case CODE_SIGNATURE:
        if (signature) throw new Error("there are two signatures");
        signature = {
          offset: command.readUInt32LE(8),
          size: command.readUInt32LE(12),
          commandAt: at,
        };
    }
    at += size;
  }
  if (at !== end) throw new Error("the load commands have another length than the header says");
  if (!signature) throw new Error("there is no signature");
  requireTiling(bytes, segments, signature);
  return { architecture, segments, libraries, minimumSystem, signature };
}

/** One of its segments, which must be there. */
export function segmentOf({ segments }: Pick<MachO, "segments">, name: string): Segment {
  const found = segments.find((one) => one.name === name);
  if (!found) throw new Error(`there is no segment ${name}`);
  return found;
}

function requireTiling(
  bytes: Buffer,
  segments: readonly Segment[],
  signature: MachO["signature"],
): void {
  let expected = 0;
  for (const { name, offset, size, memorySize } of segments.filter((one) => one.size > 0)) {
    if (offset !== expected) throw new Error(`${name} begins at ${offset} and not at ${expected}`);
    if (size > memorySize) throw new Error(`${name} is larger in the file than in memory`);
    expected += size;
  }
  if (segments.filter((one) => one.size > 0).at(-1)?.name !== "__LINKEDIT") {
    throw new Error("__LINKEDIT is not the last segment");
  }
  if (expected !== bytes.length) {
    throw new Error(`the segments end at ${expected} and the file at ${bytes.length}`);
  }
  const { offset } = segmentOf({ segments }, "__LINKEDIT");
  if (signature.offset < offset || signature.offset + signature.size !== expected) {
    throw new Error("the signature does not end __LINKEDIT");
  }
}

function readText(bytes: Buffer, from: number, to: number): string {
  const [text = ""] = bytes.toString("latin1", from, to).split("\0");
  return text;
}
