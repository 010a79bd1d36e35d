import assert from "node:assert/strict";
import { link, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  emptyMountedFile,
  isMountPoint,
  overwriteMountedFile,
  proveMountedFile,
} from "../../src/credentials/mounted_file.ts";
import { createHome } from "../testing/home.ts";

const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length));

test("only what is mounted at exactly this path is a mount point", async () => {
  await using home = await createHome();
  await home.writeAuth("{}");
  assert.equal(await isMountPoint(home.authPath), false);
  assert.equal(await isMountPoint(join(home.path, "absent")), false);
  if (process.platform === "linux") assert.equal(await isMountPoint("/proc"), true);
});

test("any text replaces any other in the same file, and nothing is left beside it", async () => {
  await using home = await createHome();
  await home.writeAuth("");
  const { ino } = await stat(home.authPath);
  const text = fc.string({ unit: "grapheme", maxLength: 3_000 });
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      await writeFile(home.authPath, before);
      await proveMountedFile(home.authPath, 5_000);
      assert.equal(await home.readAuth(), before);
      await overwriteMountedFile(home.authPath, after, randomBytes);
      assert.equal(await home.readAuth(), after);
      assert.deepEqual(await home.list(), ["auth.json"]);
    }),
    { numRuns: 40 },
  );
  assert.equal((await stat(home.authPath)).ino, ino);
  await emptyMountedFile(home.authPath);
  assert.equal(await home.readAuth(), "");
});

test("what nobody could read is copied aside first, and never over another", async () => {
  await using home = await createHome();
  await home.writeAuth("{ damaged");
  const aside = `${home.authPath}.corrupt-1`;
  await overwriteMountedFile(home.authPath, "{}", randomBytes, aside);
  assert.equal(await readFile(aside, "utf8"), "{ damaged");
  await assert.rejects(overwriteMountedFile(home.authPath, "[]", randomBytes, aside), {
    code: "SAVE_FAILED",
  });
  assert.equal(await home.readAuth(), "{}");
  assert.equal(await readFile(aside, "utf8"), "{ damaged");
});

test("a link or something huge in its place is not written to", async () => {
  await using home = await createHome();
  const elsewhere = join(home.path, "elsewhere");
  await writeFile(elsewhere, "mine");
  await symlink(elsewhere, home.authPath);
  const attempts = [
    (): Promise<void> => overwriteMountedFile(home.authPath, "{}", randomBytes),
    (): Promise<void> => proveMountedFile(home.authPath, 100),
    (): Promise<void> => emptyMountedFile(home.authPath),
  ];
  for (const attempt of attempts) await assert.rejects(attempt, { code: "SAVE_FAILED" });
  assert.equal(await readFile(elsewhere, "utf8"), "mine");

  await rename(elsewhere, home.authPath);
  await link(home.authPath, elsewhere);
  await truncate(home.authPath, 100_000_000);
  for (const attempt of attempts) await assert.rejects(attempt, { code: "SAVE_FAILED" });
  assert.equal((await stat(elsewhere)).size, 100_000_000);
});
