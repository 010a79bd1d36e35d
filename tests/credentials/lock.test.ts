import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sleep } from "../../src/system_world.ts";
import { withLocks } from "../../src/credentials/lock.ts";
import { createHome } from "../testing/home.ts";
import { holdLock } from "../testing/lock_holder.ts";
import { createWorld } from "../testing/world.ts";
import { verifies } from "../testing/verifies.ts";

async function isFree(path: string): Promise<boolean> {
  const child = spawn("flock", ["-n", path, "true"]);
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code === 0)));
}

verifies("S52", "withLocks() and flock(1) keep each other out, in both directions", async () => {
  await using home = await createHome();
  const path = join(home.path, "auth.lock");
  const world = await createWorld();
  await withLocks(world, [path], { limitMs: 1_000 }, async () => {
    assert.equal(await isFree(path), false);
  });
  assert.equal(await isFree(path), true);

  await using _held = await holdLock(path);
  await assert.rejects(withLocks(world, [path], { limitMs: 100 }, () => Promise.resolve()), {
    code: "LOCK_BUSY",
    exitCode: 3,
  });
});

verifies(
  "S52",
  "withLocks() says whom it waits for, goes on when the lock is free, and gives up naming the holder",
  async () => {
    await using home = await createHome();
    const path = join(home.path, "auth.lock");
    const told: string[] = [];
    let pauses = 0;
    const held = await holdLock(path);
    // A minute of waiting in a moment.
    const world = await createWorld({
      elapsed: () => pauses * 50,
      async sleep(): Promise<void> {
        if (++pauses === 40) await held[Symbol.asyncDispose]();
        await sleep(1);
      },
    });
    const limits = { limitMs: 60_000, onWait: (message: string) => void told.push(message) };
    assert.equal(await withLocks(world, [path], limits, () => Promise.resolve("done")), "done");
    assert.equal(told.length, 1);
    assert.match(
      told[0] ?? "",
      /^Waiting for (sleep|sh|flock) \(process \d+\), which holds auth\.lock\.$/,
    );

    await using _again = await holdLock(path);
    await assert.rejects(withLocks(world, [path], { limitMs: 100 }, () => Promise.resolve()), {
      reason: /^(sleep|sh|flock) \(process \d+\) holds it for more than 100 ms$/,
    });
  },
);

test("withLocks() lets go whatever happens, and of the first lock when the second is held", async () => {
  await using home = await createHome();
  const [first, second] = [join(home.path, "auth.lock"), join(home.path, "auth.json.lock")];
  const world = await createWorld();
  await assert.rejects(
    withLocks(
      world,
      [first, second],
      { limitMs: 1_000 },
      () => Promise.reject(new Error("inside")),
    ),
    /inside/,
  );
  assert.ok(await isFree(first) && await isFree(second));
  await using _held = await holdLock(second);
  await assert.rejects(
    withLocks(world, [first, second], { limitMs: 60 }, () => Promise.resolve()),
    {
      code: "LOCK_BUSY",
    },
  );
  assert.ok(await isFree(first));
});

test("withLocks() in one process keeps two tasks apart", async () => {
  await using home = await createHome();
  const path = join(home.path, "auth.lock");
  const world = await createWorld();
  let inside = 0;
  const task = (): Promise<void> =>
    withLocks(world, [path], { limitMs: 10_000 }, async () => {
      assert.equal(++inside, 1);
      await sleep(2);
      inside--;
    });
  await Promise.all(Array.from({ length: 8 }, task));
});

test("withLocks() ends its wait when it is told to", async () => {
  await using home = await createHome();
  const path = join(home.path, "auth.lock");
  await using _held = await holdLock(path);
  const ending = new AbortController();
  const work = withLocks(
    await createWorld(),
    [path],
    { limitMs: 60_000, signal: ending.signal },
    () => Promise.resolve(),
  );
  ending.abort(new Error("told to end"));
  await assert.rejects(work, /told to end/);
});

verifies(["S49", "S52"], "a lock file that is a link, or no file, is refused", async () => {
  await using home = await createHome();
  const world = await createWorld();
  const { symlink, mkdir } = await import("node:fs/promises");
  await writeFile(join(home.path, "victim"), "untouched");
  await symlink("victim", join(home.path, "auth.lock"));
  await mkdir(join(home.path, "folder.lock"));
  for (const name of ["auth.lock", "folder.lock"]) {
    await assert.rejects(
      withLocks(world, [join(home.path, name)], { limitMs: 100 }, () => Promise.resolve()),
      { code: "SAVE_FAILED" },
      name,
    );
  }
});
