import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { findLoginRecord, writeLoginRecord } from "../src/login_record.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

verifies(
  ["S28", "S44"],
  "a record counts while it is locked, is 0600, and is gone afterwards",
  async () => {
    await using home = await createHome();
    const world = await createWorld({ env: { XDG_RUNTIME_DIR: home.path } });
    const folder = join(home.path, "codex-login");
    const record = await writeLoginRecord(world, 45_555);
    assert.equal((await stat(join(folder, "45555"))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const [pid, network] = (await readFile(join(folder, "45555"), "utf8")).split("\n");
    assert.equal(pid, String(process.pid));
    if (process.platform === "linux") assert.match(network ?? "", /^net:\[\d+\]$/);
    assert.equal(await findLoginRecord(world, 45_555), String(process.pid));
    assert.equal(await findLoginRecord(world, 45_556), undefined);
    await record?.remove();
    assert.equal(await findLoginRecord(world, 45_555), undefined);
    assert.deepEqual(await readdir(folder), []);
  },
);

test("a record that nobody holds is stale: it is cleared away", async () => {
  await using home = await createHome();
  const world = await createWorld({ env: { XDG_RUNTIME_DIR: home.path } });
  const folder = join(home.path, "codex-login");
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "45555"), "4711\n");
  assert.equal(await findLoginRecord(world, 45_555), undefined);
  assert.deepEqual(await readdir(folder), []);
});

test("a record of another network is not about our ports", async () => {
  await using home = await createHome();
  const world = await createWorld({ env: { XDG_RUNTIME_DIR: home.path } });
  const record = await writeLoginRecord(world, 45_555);
  await writeFile(join(home.path, "codex-login", "45555"), "4711\nnet:[1]\n");
  assert.equal(await findLoginRecord(world, 45_555), undefined);
  await record?.remove();
});

test("a folder that others may write to is not believed", async () => {
  await using home = await createHome();
  const world = await createWorld({ env: { XDG_RUNTIME_DIR: home.path } });
  const record = await writeLoginRecord(world, 45_555);
  await chmod(join(home.path, "codex-login"), 0o777);
  assert.equal(await findLoginRecord(world, 45_555), undefined);
  await record?.remove();
});

test("without a runtime folder the temporary one serves", async () => {
  const world = await createWorld({ env: { XDG_RUNTIME_DIR: "/nowhere/at/all" } });
  const record = await writeLoginRecord(world, 45_557);
  assert.ok(record);
  assert.equal(await findLoginRecord(world, 45_557), String(process.pid));
  await record.remove();
});
