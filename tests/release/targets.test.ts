import assert from "node:assert/strict";
import { test } from "node:test";
import { executablePath, findTarget, targetOf, TARGETS } from "../../tools/release/targets.ts";
import { readLockfile } from "../../tools/lockfile.ts";

test("every target has a name of its own, and of everything its own package", () => {
  for (const key of ["name", "triple", "bun", "runtime", "keyring"] as const) {
    assert.equal(new Set(TARGETS.map((one) => one[key])).size, TARGETS.length, key);
  }
  assert.deepEqual(TARGETS.map((one) => one.name), [
    "linux-x64",
    "linux-x64-musl",
    "linux-arm64",
    "linux-arm64-musl",
    "darwin-arm64",
    "darwin-x64",
    "windows-x64",
    "windows-arm64",
  ]);
});

test("what an executable is made of is in the lockfile, in the version of all the rest", () => {
  const lockfile = readLockfile();
  const versionOf = (name: string): string | undefined =>
    lockfile.find((one) => one.name === name)?.version;
  for (const { runtime, keyring } of TARGETS) {
    assert.equal(versionOf(runtime), versionOf("bun"), runtime);
    assert.equal(versionOf(keyring), versionOf("@napi-rs/keyring"), keyring);
  }
});

test("a machine is found by its own words, and a target by its name", () => {
  assert.equal(targetOf("linux", "x64").triple, "x86_64-unknown-linux-gnu");
  assert.equal(targetOf("linux", "arm64", true).triple, "aarch64-unknown-linux-musl");
  assert.equal(targetOf("darwin", "arm64").triple, "aarch64-apple-darwin");
  const windows = targetOf("win32", "x64");
  assert.equal(windows.triple, "x86_64-pc-windows-msvc");
  assert.equal(executablePath(windows), "dist/targets/windows-x64/codex-login.exe");
  assert.equal(executablePath(findTarget("linux-x64")), "dist/targets/linux-x64/codex-login");
  assert.throws(
    () => findTarget("solaris-sparc"),
    /no target "solaris-sparc"; there are linux-x64,/,
  );
});
