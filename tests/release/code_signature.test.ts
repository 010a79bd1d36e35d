import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readCodeDirectory, writeCodeDirectory } from "../../tools/release/code_directory.ts";
import { signAdHoc, verifyAdHoc } from "../../tools/release/code_signature.ts";
import { readMachO, segmentOf } from "../../tools/release/mach_o.ts";
import { smallMachO } from "../testing/small_mach_o.ts";

const SIGNED = signAdHoc(smallMachO(), "codex-login");
const SIGNATURE = readMachO(SIGNED).signature;
/** Its parts begin here: 20 bytes name the one that there is. */
const DIRECTORY = SIGNATURE.offset + 20;

function changed(at: number, value?: number): Buffer {
  const copy = Buffer.from(SIGNED);
  copy[at] = value ?? (copy[at] ?? 0) ^ 1;
  return copy;
}

test("a signed executable is whole, names itself, and can be signed again", () => {
  const directory = verifyAdHoc(SIGNED);
  assert.equal(directory.identifier, "codex-login");
  assert.equal(directory.flags, 0x20002);
  assert.equal(directory.pageSize, 4096);
  assert.equal(directory.pages.length, 5);
  assert.equal(directory.codeLimit, 0x4020);
  // The last page is hashed as far as it goes.
  const last = createHash("sha256").update(SIGNED.subarray(0x4000, 0x4020)).digest();
  assert.ok(directory.pages.at(-1)?.equals(last));
  const file = readMachO(SIGNED);
  const linkedit = segmentOf(file, "__LINKEDIT");
  assert.equal(linkedit.offset + linkedit.size, SIGNED.length);
  assert.equal(linkedit.memorySize % 0x4000, 0);
  assert.deepEqual([file.libraries, file.minimumSystem], [["/usr/lib/libSystem.B.dylib"], "13.0"]);
  assert.ok(signAdHoc(SIGNED, "codex-login").equals(SIGNED));
  assert.equal(verifyAdHoc(signAdHoc(SIGNED, "other")).identifier, "other");
  assert.equal(readMachO(signAdHoc(smallMachO(0x01000007), "codex-login")).architecture, "x64");
});

test("every byte before the signature counts", () => {
  for (let at = 0; at < SIGNATURE.offset; at++) {
    assert.throws(() => verifyAdHoc(changed(at)), `a change at ${at} is not noticed`);
  }
  assert.throws(() => verifyAdHoc(changed(0x1fff)), /page 1 of 5 has another hash/);
  assert.throws(() => verifyAdHoc(changed(0x4010)), /page 4 of 5 has another hash/);
});

test("a signature that is cut off, of something else, or somebody's is told from a good one", () => {
  assert.throws(() => verifyAdHoc(smallMachO()), /does not begin like one/);
  assert.throws(() => verifyAdHoc(SIGNED.subarray(0, -1)), /the file at/);
  assert.throws(() => verifyAdHoc(Buffer.concat([SIGNED, Buffer.alloc(1)])), /the file at/);
  assert.throws(() => verifyAdHoc(changed(SIGNATURE.offset + 4, 0xff)), /cut off/);
  assert.throws(
    () => verifyAdHoc(changed(SIGNATURE.offset + 19, 0xff)),
    /does not fit|no code dir/,
  );
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 15, 0)), /claims to be somebody's/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 13, 0x03)), /hardened/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 35)), /the signature is of/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 37, 1)), /not SHA-256/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 39, 13)), /pages have|another hash/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 79)), /not of this file's code/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 87)), /not of this file's code/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 31)), /pages have/);
  assert.throws(() => verifyAdHoc(changed(DIRECTORY + 27, 9)), /not all in it/);
});

test("parts beside the directory count by their special hashes", () => {
  const requirements = Buffer.from("fade0c010000000c00000000", "hex");
  const hash = createHash("sha256").update(requirements).digest();
  const withPart = (special: readonly Buffer[], part: Buffer | undefined): Buffer => {
    const original = readCodeDirectory(SIGNED.subarray(DIRECTORY));
    const { pages } = original;
    // Special hashes are before the others, the last first.
    const plain = writeCodeDirectory({ ...original, pages: [...special.toReversed(), ...pages] });
    plain.writeUInt32BE(plain.readUInt32BE(16) + 32 * special.length, 16);
    plain.writeUInt32BE(special.length, 24);
    plain.writeUInt32BE(pages.length, 28);
    const outer = Buffer.alloc(12 + (part ? 16 : 8));
    const length = outer.length + plain.length + (part?.length ?? 0);
    [0xfade0cc0, length, part ? 2 : 1, 0, outer.length, ...(part ? [2, length - part.length] : [])]
      .forEach((value, index) => outer.writeUInt32BE(value, 4 * index));
    const signature = Buffer.concat([outer, plain, part ?? Buffer.alloc(0)]);
    return signAround(signature);
  };
  const none = Buffer.alloc(32);
  assert.ok(verifyAdHoc(withPart([none, hash], requirements)).special.get(2)?.equals(hash));
  assert.throws(() => verifyAdHoc(withPart([none, none], requirements)), /part 2 .* another hash/);
  assert.throws(() => verifyAdHoc(withPart([none, hash], undefined)), /part 2 .* another hash/);
  assert.throws(() => verifyAdHoc(withPart([], requirements)), /part 2 .* no hash/);
});

/** The file with another signature, whose hashes of pages are made right again: its length is in the first page. */
function signAround(signature: Buffer): Buffer {
  const { signature: place, segments } = readMachO(SIGNED);
  const linkedit = segmentOf({ segments }, "__LINKEDIT");
  const file = Buffer.concat([SIGNED.subarray(0, place.offset), signature]);
  file.writeUInt32LE(signature.length, place.commandAt + 12);
  file.writeBigUInt64LE(BigInt(file.length - linkedit.offset), linkedit.commandAt + 48);
  const first = createHash("sha256").update(file.subarray(0, 4096)).digest();
  const directoryAt = place.offset + file.readUInt32BE(place.offset + 16);
  file.set(first, directoryAt + file.readUInt32BE(directoryAt + 16));
  return file;
}

test("a file whose parts do not fit together is neither signed nor read", () => {
  const small = smallMachO();
  const broken = (at: number, value: number): Buffer => {
    const copy = Buffer.from(small);
    copy.writeUInt32LE(value, at);
    return copy;
  };
  const load = 32;
  for (
    const [bytes, pattern] of [
      [Buffer.alloc(0), /no Mach-O/],
      [Buffer.from("MZ".repeat(50)), /no Mach-O/],
      [broken(4, 7), /none of ours/],
      [broken(12, 6), /no executable/],
      [broken(16, 5), /another length/],
      [broken(16, 7), /does not fit/],
      [broken(20, 1 << 30), /does not fit/],
      [broken(load + 4, 0), /does not fit/],
      [broken(load + 72 + 40, 0x1000), /__TEXT begins at/],
      [broken(load + 72 + 32, 0x1000), /larger in the file/],
      [broken(load + 144 + 48, 0x20), /segments end at/],
      [broken(load + 216 + 56 + 24 + 8, 0x10), /does not end __LINKEDIT/],
      [broken(load + 216 + 56 + 24, 0x29), /no signature/],
    ] as const
  ) {
    assert.throws(() => readMachO(bytes), pattern);
    assert.throws(() => signAdHoc(bytes, "codex-login"), pattern);
  }
});
