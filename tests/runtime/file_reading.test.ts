import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type FoundFile, loadFileReading } from "../../src/runtime/file_reading.ts";
import { createHome } from "../testing/home.ts";

const IS_POSIX = process.platform !== "win32";
const { has, find, read } = await loadFileReading();

/** What reading gives, and what was judged before. */
async function readAll(path: string): Promise<{ text: string | undefined; judged: FoundFile[] }> {
  const judged: FoundFile[] = [];
  const text = await read(path, (found) => void judged.push(found));
  return { text, judged };
}

test("a file is found with all that decides whether it is ours, through links too", async () => {
  await using home = await createHome();
  const [path, other, linked] = ["a.json", "b.json", "c.json"].map((name) => join(home.path, name));
  assert.ok(path && other && linked);
  await writeFile(path, "\ufeff{é}");
  const found = await find(path);
  assert.deepEqual(found, {
    isRegular: true,
    uid: IS_POSIX ? process.getuid?.() : found?.uid,
    links: 1,
    bytes: 7,
  });
  assert.equal(await has(path), true);
  const { text, judged } = await readAll(path);
  assert.equal(text, "{é}");
  assert.deepEqual(judged, [found]);
  await link(path, other);
  assert.equal((await find(path))?.links, 2);
  await symlink(path, linked);
  assert.equal((await find(linked))?.bytes, 7);
  assert.equal((await readAll(linked)).text, "{é}");
});

test("what is not there is told apart from what is empty, and from what is in the way", async () => {
  await using home = await createHome();
  const at = (name: string): string => join(home.path, name);
  await writeFile(at("empty"), "");
  await mkdir(at("folder"));
  await writeFile(at("folder/inside"), "x");
  await symlink(at("nowhere"), at("dangling"));
  for (const path of [at("none"), at("none/deeper"), at("empty/deeper"), at("dangling")]) {
    assert.equal(await has(path), false, path);
    assert.equal(await find(path), undefined, path);
    assert.deepEqual(await readAll(path), { text: undefined, judged: [] }, path);
  }
  assert.equal((await readAll(at("empty"))).text, "");
  assert.equal(await has(at("folder")), false);
  assert.equal((await find(at("folder")))?.isRegular, false);
});

test("nothing is read of what was refused, and nobody waits for a FIFO or a device", {
  skip: !IS_POSIX && "no FIFO here",
}, async () => {
  await using home = await createHome();
  const fifo = join(home.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  for (const path of [fifo, "/dev/zero", home.path]) {
    const refused = new Error("no");
    const reading = read(path, ({ isRegular }) => {
      if (!isRegular) throw refused;
    });
    await assert.rejects(reading, refused);
  }
  assert.deepEqual([await has(fifo), await has("/dev/null"), await has("/")], [true, true, false]);
});

test("a file system that tells no lengths is read, and its folders are folders", {
  skip: process.platform !== "linux" && "no such file system here",
}, async () => {
  assert.equal(await has("/proc/self"), false);
  assert.equal((await find("/proc/self/comm"))?.bytes, 0);
  assert.match((await readAll("/proc/self/comm")).text ?? "", /^.+\n$/);
});

test("a name is never taken for an address, and bytes for no other characters than UTF-8's", async () => {
  assert.equal(await find("s3://bucket/name"), undefined);
  assert.equal(await has("file:///etc/passwd"), false);
  const long = `/${"x".repeat(5_000)}`;
  assert.equal(await has(long), false);
  await assert.rejects(readAll(long), { code: "ENAMETOOLONG" });
  await assert.rejects(find(long), { code: "ENAMETOOLONG" });
  await using home = await createHome();
  const path = join(home.path, "utf16");
  await writeFile(path, Buffer.from("\ufeffab", "utf16le"));
  assert.equal(
    (await readAll(path)).text,
    new TextDecoder().decode(Buffer.from("\ufeffab", "utf16le")),
  );
});

test("what may not be read says so by the system's own code", {
  skip: process.getuid?.() === 0 ? "root may read everything" : !IS_POSIX,
}, async () => {
  await using home = await createHome();
  const path = join(home.path, "closed");
  await writeFile(path, "x");
  await chmod(path, 0);
  await assert.rejects(readAll(path), { code: "EACCES" });
});
