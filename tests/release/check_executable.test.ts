import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExecutable } from "../../tools/release/check_executable.ts";
import { signAdHoc } from "../../tools/release/code_signature.ts";
import { readElf } from "../../tools/release/elf.ts";
import { fileOffset, peChecksum, readPe } from "../../tools/release/pe.ts";
import { findTarget } from "../../tools/release/targets.ts";
import {
  nameExecutable,
  readVersion,
  resourceKinds,
} from "../../tools/release/version_resource.ts";
import { smallElf } from "../testing/small_elf.ts";
import { smallMachO } from "../testing/small_mach_o.ts";
import { smallPe } from "../testing/small_pe.ts";

const ADDON = Buffer.from("the keyring's native code");
const EXPECTED = { version: "1.2.3", addon: ADDON };
const withAddon = (bytes: Buffer): Buffer => Buffer.concat([bytes, ADDON]);

const NAMES = {
  FileVersion: "1.2.3",
  OriginalFilename: "codex-login.exe",
  ProductName: "codex-login",
  ProductVersion: "1.2.3",
};

/** Named, with the keyring's code in the program's section. */
function windowsProgram(names = NAMES, version = "1.2.3", machine?: number): Buffer {
  const original = smallPe(machine);
  original.set(ADDON, 0xc00);
  return nameExecutable(original, version, names);
}

/** With the checksum that it then must have. */
function changedPe(change: (bytes: Buffer) => void): Buffer {
  const bytes = windowsProgram();
  const { checksumAt } = readPe(bytes);
  change(bytes);
  bytes.writeUInt32LE(peChecksum(bytes, checksumAt), checksumAt);
  return bytes;
}

test("Linux: the processor, the loader and the libraries are those of the target", () => {
  const check = (name: string, bytes: Buffer): string =>
    checkExecutable(withAddon(bytes), findTarget(name), EXPECTED);
  const musl = {
    interpreter: "/lib/ld-musl-aarch64.so.1",
    needed: ["libstdc++.so.6", "libc.musl-aarch64.so.1"],
    versions: [],
  };
  assert.match(check("linux-x64", smallElf()), /ELF x64, \/lib64\/ld-linux-.*, needs glibc 2\.17/);
  assert.match(
    check("linux-arm64-musl", smallElf({ ...musl, machine: 183 })),
    /ELF arm64.*libstdc\+\+/,
  );
  for (
    const [name, bytes, pattern] of [
      ["linux-arm64", smallElf(), /linux-arm64: processor is x64 and not arm64/],
      ["linux-x64-musl", smallElf(), /interpreter is \/lib64/],
      ["linux-arm64-musl", smallElf(musl), /processor is x64/],
      ["linux-x64", smallElf({ versions: ["GLIBC_2.17", "GLIBC_2.34"] }), /newest glibc is 2\.34/],
      ["linux-x64", smallElf({ needed: ["libc.so.6", "libcurl.so.4"] }), /libraries is .*libcurl/],
      ["linux-x64", smallMachO(), /no ELF file/],
      ["linux-x64", Buffer.alloc(0), /no ELF file/],
      ["linux-x64", smallElf({ machine: 8 }), /none of ours/],
      ["linux-x64", smallElf().subarray(0, 100), /not in the file/],
    ] as const
  ) {
    assert.throws(() => check(name, bytes), pattern);
  }
});

test("a file whose end is missing is not read as ELF, wherever it ends", () => {
  const whole = smallElf();
  assert.equal(readElf(whole).glibc, "2.17");
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readElf(whole.subarray(0, length)), `${length} bytes`);
  }
});

test("macOS: the processor, the signature and whose it is", () => {
  const withCode = (cpu?: number): Buffer => {
    const file = smallMachO(cpu);
    file.set(ADDON, 0x3000);
    return file;
  };
  const check = (bytes: Buffer, name = "darwin-arm64"): string =>
    checkExecutable(bytes, findTarget(name), EXPECTED);
  const signed = signAdHoc(withCode(), "codex-login");
  assert.match(check(signed), /Mach-O arm64, macOS 13\.0, signed ad hoc, 5 pages verified/);
  assert.match(check(signAdHoc(withCode(0x01000007), "codex-login"), "darwin-x64"), /x64/);
  assert.throws(() => check(signed, "darwin-x64"), /processor is arm64/);
  assert.throws(() => check(signAdHoc(withCode(), "bun")), /identifier is bun/);
  assert.throws(() => check(withCode()), /does not begin like one/);
  assert.throws(() => check(smallElf()), /no Mach-O/);
  const foreign = withCode();
  foreign.write("/opt", foreign.indexOf("/usr/lib/"));
  assert.throws(() => check(signAdHoc(foreign, "codex-login")), /needs \/opt/);
});

test("Windows: the processor, the console, the version and the checksum", () => {
  const check = (bytes: Buffer, name = "windows-x64"): string =>
    checkExecutable(bytes, findTarget(name), EXPECTED);
  assert.match(check(windowsProgram()), /PE x64, console, version 1\.2\.3\.0/);
  assert.match(check(windowsProgram(NAMES, "1.2.3", 0xaa64), "windows-arm64"), /PE arm64/);
  const { checksumAt, resourcesAt, sections } = readPe(smallPe());
  const programAt = sections.find(({ name }) => name === ".bun")?.headerAt ?? 0;
  for (
    const [bytes, pattern] of [
      [smallElf(), /no Windows executable/],
      [smallPe(0x14c), /none of ours/],
      [windowsProgram(NAMES, "1.2.3", 0xaa64), /processor is arm64/],
      [windowsProgram({ ...NAMES, ProductName: "Bun" }), /product is Bun/],
      [windowsProgram({ ...NAMES, ProductVersion: "1.2.2" }), /version is 1\.2\.2/],
      [windowsProgram(NAMES, "1.2.4"), /version for programs is 1\.2\.4\.0/],
      [changedPe((file) => file.writeUInt16LE(2, 0x98 + 68)), /no program for the console/],
      [changedPe((file) => file.writeUInt32LE(1, resourcesAt + 16)), /signature of somebody's/],
      [changedPe((file) => file.write(".no\0", programAt)), /has no program/],
      [changedPe((file) => file.writeUInt16LE(0x2022, 0x96)), /no executable/],
      [windowsProgram().subarray(0, 0xd00), /section \.bun is not in the file/],
    ] as const
  ) {
    assert.throws(() => check(bytes), pattern);
  }
  const other = windowsProgram();
  other[checksumAt] = (other[checksumAt] ?? 0) ^ 1;
  assert.throws(() => check(other), /checksum is/);
  assert.throws(() => check(smallPe()), /does not begin like one|checksum/);
});

test("a version is written where the old one was, and nothing else of it or of the icon is left", () => {
  const named = windowsProgram();
  assert.deepEqual(readVersion(named), { ...NAMES, fixed: "1.2.3.0" });
  assert.deepEqual(resourceKinds(named), [16, 24]);
  assert.equal(named.length, smallPe().length);
  assert.equal(named.indexOf(Buffer.alloc(20, 3)), -1);
  // The manifest is as it was.
  assert.notEqual(named.indexOf(Buffer.alloc(50, 24)), -1);
  assert.ok(nameExecutable(named, "1.2.3", NAMES).equals(named));
  assert.throws(() => nameExecutable(smallPe(0x8664, 300), "1.2.3", NAMES), /there are 300/);
  assert.throws(() => fileOffset(readPe(named), 0x9000), /nothing of the file/);
});

test("no executable without the keyring's native code", () => {
  const check = (name: string, bytes: Buffer): string =>
    checkExecutable(bytes, findTarget(name), EXPECTED);
  assert.throws(() => check("linux-x64", smallElf()), /linux-x64: the keyring's native code/);
  assert.throws(
    () => check("darwin-arm64", signAdHoc(smallMachO(), "codex-login")),
    /keyring's native code is not in it/,
  );
  assert.throws(
    () => check("windows-x64", nameExecutable(smallPe(), "1.2.3", NAMES)),
    /keyring's native code is not in it/,
  );
});
