import { createHash } from "node:crypto";
import {
  AD_HOC,
  CODE_DIRECTORY,
  type CodeDirectory,
  HARDENED,
  LINKER_SIGNED,
  MAIN_BINARY,
  readCodeDirectory,
  SUPER_BLOB,
  writeCodeDirectory,
} from "./code_directory.ts";
import { readMachO, segmentOf } from "./mach_o.ts";

/** On both processors, as the linkers of LLVM, Go and Bun have it for either. */
const PAGE_SIZE = 4096;
/** What memory is measured in on arm64; fits x64 as well. */
const MEMORY_PAGE = 0x4000;
/** The directory itself in the list of a signature's parts. */
const DIRECTORY_SLOT = 0;
/** With one part: magic, length, count; slot and offset. */
const ONE_PART = 20;

/**
 * Signs an executable with nobody's key, as Apple's arm64 asks for: hashes of all its pages, in place of whatever signature was
 * there. It has the form that linkers make, the directory alone; the system runs it, and trusts nothing in it. Without the
 * "hardened" of a signature by a known developer it needs no entitlements to compile JavaScript while it runs.
 */
export function signAdHoc(original: Buffer, identifier: string): Buffer {
  const { signature, ...file } = readMachO(original);
  const linkedit = segmentOf(file, "__LINKEDIT");
  const text = segmentOf(file, "__TEXT");
  const codeLimit = signature.offset;
  if (codeLimit % 16 !== 0) throw new Error(`a signature at ${codeLimit} is not where one may be`);
  const directory = (pages: readonly Buffer[]): Buffer =>
    writeCodeDirectory({
      version: 0x20400,
      flags: AD_HOC | LINKER_SIGNED,
      identifier,
      codeLimit,
      pageSize: PAGE_SIZE,
      executable: { offset: text.offset, size: text.size, flags: MAIN_BINARY },
      pages,
    });
  const none = Buffer.alloc(32);
  const count = Math.ceil(codeLimit / PAGE_SIZE);
  const length = ONE_PART + directory(Array.from({ length: count }, () => none)).length;
  const size = roundUp(length, 16);

  const code = Buffer.from(original.subarray(0, codeLimit));
  code.writeUInt32LE(size, signature.commandAt + 12);
  const linkeditSize = codeLimit + size - linkedit.offset;
  code.writeBigUInt64LE(BigInt(roundUp(linkeditSize, MEMORY_PAGE)), linkedit.commandAt + 32);
  code.writeBigUInt64LE(BigInt(linkeditSize), linkedit.commandAt + 48);

  const outer = Buffer.alloc(ONE_PART);
  [SUPER_BLOB, length, 1, DIRECTORY_SLOT, ONE_PART]
    .forEach((value, index) => outer.writeUInt32BE(value, 4 * index));
  const signed = Buffer.concat([code, outer, directory(hashPages(code, PAGE_SIZE))]);
  return Buffer.concat([signed, Buffer.alloc(size - length)]);
}

/**
 * Throws unless the system would run it: the signature is nobody's, names the file's code, hashes every byte before itself, and
 * every hash is right, the special ones of its other parts included.
 */
export function verifyAdHoc(bytes: Buffer): CodeDirectory {
  const { signature, ...file } = readMachO(bytes);
  const parts = readParts(bytes.subarray(signature.offset, signature.offset + signature.size));
  const main = parts.get(DIRECTORY_SLOT);
  if (!main) throw new Error("the signature has no code directory");
  const directory = readCodeDirectory(main);
  const { flags, codeLimit, pageSize, pages, executable } = directory;
  if ((flags & AD_HOC) === 0) throw new Error("the signature claims to be somebody's");
  if ((flags & HARDENED) !== 0) {
    throw new Error("the signature is hardened: nothing could be compiled");
  }
  if (codeLimit !== signature.offset) {
    throw new Error(`the signature is of ${codeLimit} bytes, and there are ${signature.offset}`);
  }
  const text = segmentOf(file, "__TEXT");
  if (
    executable.offset !== text.offset || executable.size !== text.size ||
    executable.flags !== MAIN_BINARY
  ) {
    throw new Error("the signature is not of this file's code");
  }
  const hashes = hashPages(bytes.subarray(0, codeLimit), pageSize);
  if (hashes.length !== pages.length) {
    throw new Error(`${hashes.length} pages have ${pages.length} hashes`);
  }
  const wrong = hashes.findIndex((hash, index) => !pages[index]?.equals(hash));
  if (wrong >= 0) throw new Error(`page ${wrong} of ${pages.length} has another hash`);
  requireSpecialHashes(directory, parts);
  return directory;
}

/** The parts of a signature by their slots. */
function readParts(blob: Buffer): Map<number, Buffer> {
  if (blob.length < 12 || blob.readUInt32BE(0) !== SUPER_BLOB) {
    throw new Error("the signature does not begin like one");
  }
  const [length, count] = [blob.readUInt32BE(4), blob.readUInt32BE(8)];
  if (length > blob.length || 12 + 8 * count > length) throw new Error("the signature is cut off");
  const parts = new Map<number, Buffer>();
  for (let index = 0; index < count; index++) {
    const [slot, at] = [blob.readUInt32BE(12 + 8 * index), blob.readUInt32BE(16 + 8 * index)];
    const size = at + 8 <= length ? blob.readUInt32BE(at + 4) : 0;
    if (size < 8 || at + size > length || parts.has(slot)) {
      throw new Error(`part ${slot} of the signature does not fit`);
    }
    parts.set(slot, blob.subarray(at, at + size));
  }
  return parts;
}

function requireSpecialHashes(
  { special }: CodeDirectory,
  parts: ReadonlyMap<number, Buffer>,
): void {
  for (const [slot, hash] of special) {
    const part = parts.get(slot);
    const expected = part ? sha256(part) : Buffer.alloc(32);
    if (!hash.equals(expected)) throw new Error(`part ${slot} of the signature has another hash`);
  }
  for (const [slot, part] of parts) {
    const isDirectory = part.readUInt32BE(0) === CODE_DIRECTORY;
    if (slot !== DIRECTORY_SLOT && (isDirectory || !special.has(slot))) {
      throw new Error(`part ${slot} of the signature has no hash`);
    }
  }
}

function hashPages(code: Buffer, pageSize: number): Buffer[] {
  return Array.from(
    { length: Math.ceil(code.length / pageSize) },
    (_, page) => sha256(code.subarray(page * pageSize, (page + 1) * pageSize)),
  );
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
