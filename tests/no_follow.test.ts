import assert from "node:assert/strict";
import { closeSync, constants, writeSync } from "node:fs";
import { readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openNoFollow, openNoFollowSync } from "../src/no_follow.ts";
import { createHome } from "./testing/home.ts";
import { verifies } from "./testing/verifies.ts";

const { O_WRONLY, O_CREAT, O_TRUNC, O_EXCL } = constants;

verifies("S49", "no link is opened, whether it leads somewhere or not; a file is", async () => {
  await using home = await createHome();
  const victim = join(home.path, "victim");
  await writeFile(victim, "untouched");
  await symlink(victim, join(home.path, "link"));
  await symlink(join(home.path, "absent"), join(home.path, "dangling"));
  for (const name of ["link", "dangling"]) {
    const path = join(home.path, name);
    for (const flags of [O_WRONLY | O_TRUNC, O_WRONLY | O_CREAT, O_WRONLY | O_CREAT | O_EXCL]) {
      assert.throws(() => openNoFollowSync(path, flags, 0o600), { code: "ELOOP" });
      await assert.rejects(openNoFollow(path, flags, 0o600), { code: "ELOOP" });
    }
  }
  assert.equal(await readFile(victim, "utf8"), "untouched");
  assert.ok(!(await home.list()).includes("absent"));
  await assert.rejects(openNoFollow(join(home.path, "absent"), O_WRONLY), { code: "ENOENT" });

  const file = await openNoFollow(victim, O_WRONLY | O_TRUNC);
  await file.writeFile("new");
  await file.close();
  assert.equal(await readFile(victim, "utf8"), "new");
  const descriptor = openNoFollowSync(join(home.path, "made"), O_WRONLY | O_CREAT, 0o600);
  writeSync(descriptor, "made");
  closeSync(descriptor);
  assert.equal(await home.mode("made"), "600");
});

verifies("S49", "a link that comes and goes is never written through", async () => {
  await using home = await createHome();
  const victim = join(home.path, "victim");
  await writeFile(victim, "untouched");
  const path = join(home.path, "file");
  await writeFile(path, "");
  let isOver = false;
  const racing = (async () => {
    for (let i = 0; !isOver; i++) {
      const next = join(home.path, "next");
      if (i % 2) await symlink(victim, next);
      else await writeFile(next, "");
      await rename(next, path);
    }
  })();
  for (let i = 0; i < 300; i++) {
    const file = await openNoFollow(path, O_WRONLY | O_TRUNC).catch((thrown) => {
      assert.equal(thrown.code, "ELOOP");
    });
    await file?.writeFile("evil");
    await file?.close();
  }
  isOver = true;
  await racing;
  assert.equal(await readFile(victim, "utf8"), "untouched");
});
