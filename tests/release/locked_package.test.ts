import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readLockedFile } from "../../tools/release/locked_package.ts";
import { tar } from "../../tools/release/tar.ts";
import { readTarEntry } from "../../tools/release/tar_entry.ts";
import { createHome } from "../testing/home.ts";

const NATIVE = Buffer.from("native code ".repeat(100));
const PACKED = gzipSync(tar([
  { name: "package/package.json", mode: 0o644, content: Buffer.from("{}") },
  { name: "package/bin/bun", mode: 0o755, content: NATIVE },
], new Date(0)));
const LOCKED = {
  name: "@oven/bun-other",
  version: "1.2.3",
  license: "MIT",
  integrity: `sha512-${createHash("sha512").update(PACKED).digest("base64")}`,
};
const FILE = "oven-bun-other-1.2.3.tgz";

test("what is fetched once is kept, and is what the lockfile says", async () => {
  await using home = await createHome();
  let downloads = 0;
  const options = {
    lockfile: [LOCKED],
    cache: home.path,
    download: (name: string, version: string, folder: string): void => {
      downloads += 1;
      assert.deepEqual([name, version], [LOCKED.name, LOCKED.version]);
      writeFileSync(join(folder, FILE), PACKED);
    },
  };
  for (const _ of [1, 2]) {
    assert.ok(readLockedFile(LOCKED.name, "bin/bun", options).equals(NATIVE));
  }
  assert.equal(downloads, 1);
  assert.deepEqual(readdirSync(home.path), [FILE]);
  assert.throws(
    () => readLockedFile(LOCKED.name, "bin/node", options),
    /no file package\/bin\/node/,
  );
  assert.throws(() => readLockedFile("left-pad", "index.js", options), /not in package-lock\.json/);
});

test("what has another checksum is not used, whether it was just fetched or lay in the cache", async () => {
  await using home = await createHome();
  const other = Buffer.from(PACKED);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  const path = join(home.path, FILE);
  const options = {
    lockfile: [LOCKED],
    cache: home.path,
    download: (_name: string, _version: string, folder: string): void =>
      writeFileSync(join(folder, FILE), other),
  };
  assert.throws(() => readLockedFile(LOCKED.name, "bin/bun", options), /not what package-lock/);
  assert.ok(!existsSync(path));
  writeFileSync(path, other);
  assert.throws(() => readLockedFile(LOCKED.name, "bin/bun", options), /not what package-lock/);
  // The next use fetches it again.
  assert.ok(!existsSync(path));
});

test("a download that fails leaves nothing", async () => {
  await using home = await createHome();
  const download = (_name: string, _version: string, folder: string): void => {
    writeFileSync(join(folder, FILE), PACKED.subarray(0, 10));
    throw new Error("the network is gone");
  };
  const options = { lockfile: [LOCKED], cache: home.path, download };
  assert.throws(() => readLockedFile(LOCKED.name, "bin/bun", options), /the network is gone/);
  assert.deepEqual(readdirSync(home.path), []);
});

test("a file of an archive is read by its path; one that is cut off is not", () => {
  assert.ok(readTarEntry(PACKED, "package/bin/bun").equals(NATIVE));
  const plain = tar([{ name: "a", mode: 0o644, content: NATIVE }], new Date(0));
  assert.throws(() => readTarEntry(gzipSync(plain.subarray(0, 1024)), "a"), /cut off/);
  assert.throws(() => readTarEntry(PACKED.subarray(0, 50), "a"));
});
