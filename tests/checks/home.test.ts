import assert from "node:assert/strict";
import { chmod, chown, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { homeChecks } from "../../src/checks/home.ts";
import { leftoverChecks } from "../../src/checks/leftovers.ts";
import { permissionChecks } from "../../src/checks/permissions.ts";
import { assertFinding, examine, findingOf } from "../testing/examined.ts";
import { createHome } from "../testing/home.ts";
import { missingRoot } from "../testing/tools.ts";

const AS_ROOT = { skip: missingRoot() };

test("a folder that is ours is well, one that does not exist is made later", async () => {
  await using home = await createHome();
  const checks = homeChecks(await examine(home));
  assertFinding(await findingOf(checks, "home.folder"), "ok", /\(0700, yours\)/);
  assertFinding(await findingOf(checks, "home.auth_file"), "ok", /there is no auth\.json/);
  assertFinding(await findingOf(checks, "home.space"), "ok", /\d+ [KMG]B free/);
  const nowhere = homeChecks(await examine({ path: join(home.path, "no/such") }));
  assertFinding(await findingOf(nowhere, "home.folder"), "ok", /a sign-in makes it/);
  assertFinding(await findingOf(nowhere, "home.space"), "ok", /free/);
  assert.deepEqual(await home.list(), []);
});

test("a home that others can write to, that is a file, or that leads to nothing is told", async () => {
  await using home = await createHome();
  await chmod(home.path, 0o777);
  const open = homeChecks(await examine(home));
  assertFinding(await findingOf(open, "home.folder"), "warn", /0777/, /chmod go-w/);
  await home.writeAuth("{}");
  const asFile = homeChecks(await examine({ path: home.authPath }));
  assertFinding(await findingOf(asFile, "home.folder"), "fail", /is not a folder/);
  const lost = join(home.path, "lost");
  await symlink(join(home.path, "gone"), lost);
  const dangling = homeChecks(await examine({ path: lost }));
  assertFinding(
    await findingOf(dangling, "home.folder"),
    "fail",
    /a link to .*gone: it leads to nothing/,
  );
  const fine = join(home.path, "fine");
  await symlink(home.path, fine);
  await chmod(home.path, 0o700);
  assertFinding(
    await findingOf(homeChecks(await examine({ path: fine })), "home.folder"),
    "ok",
    /a link to/,
  );
});

test("a home of another user is told", AS_ROOT, async () => {
  await using home = await createHome();
  await chown(home.path, 12_345, 12_345);
  const checks = homeChecks(await examine(home));
  assertFinding(await findingOf(checks, "home.folder"), "fail", /belongs to user 12345/, /chown/);
});

test("a home that nobody knows is a failure, and nothing else is looked for in it", async () => {
  const examined = await examine({ path: "/x" });
  const { LoginError } = await import("../../src/errors.ts");
  const obstacle = new LoginError("CONFIG", "The home folder cannot be found", {
    hint: "set CODEX_HOME",
  });
  const lost = { ...examined, config: { ...examined.config, home: "" }, obstacle };
  const checks = [...homeChecks(lost), ...permissionChecks(lost), ...leftoverChecks(lost)];
  assertFinding(
    await findingOf(checks, "home.folder"),
    "fail",
    /cannot be found/,
    /set CODEX_HOME/,
  );
  for (const { id } of checks.slice(1)) assertFinding(await findingOf(checks, id), "skip");
});

test("where auth.json leads to is told, or why it is refused", async () => {
  await using home = await createHome();
  const ask = async (): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(homeChecks(await examine(home)), "home.auth_file");
  const target = join(home.path, "elsewhere.json");
  await symlink(target, home.authPath);
  assertFinding(await ask(), "ok", /leads to .*elsewhere\.json, which does not exist yet/);
  await writeFile(target, "{}");
  assertFinding(await ask(), "ok", /a link of yours to/, /2 bytes/);
  await link(target, join(home.path, "other"));
  assertFinding(await ask(), "fail", /hard link/);
  await using second = await createHome();
  await mkdir(second.authPath);
  const folder = homeChecks(await examine(second));
  assertFinding(await findingOf(folder, "home.auth_file"), "fail", /not a regular file/);
});

test("files that others can read or change are told with the command that mends it", async () => {
  await using home = await createHome();
  const ask = async (): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(permissionChecks(await examine(home)), "home.permissions");
  assertFinding(await ask(), "ok", /no file holds a login/);
  await home.writeAuth("{}");
  assertFinding(await ask(), "ok", /readable by you only: 1/);
  await chmod(home.authPath, 0o644);
  assertFinding(await ask(), "warn", /auth\.json can be read by others \(0644\)/, /chmod 600 '/);
  await chmod(home.authPath, 0o600);
  await mkdir(join(home.path, "profiles"), { mode: 0o700 });
  await writeFile(join(home.path, "profiles", "work.json"), "{}", { mode: 0o640 });
  await writeFile(join(home.path, "config.toml"), "");
  await chmod(join(home.path, "config.toml"), 0o666);
  assertFinding(
    await ask(),
    "warn",
    /work\.json can be read/,
    /config\.toml can be changed by others/,
  );
  assert.equal(await home.mode("config.toml"), "666");
});

test("a file of another user is told", AS_ROOT, async () => {
  await using home = await createHome();
  await home.writeAuth("{}");
  await chown(home.authPath, 12_345, 12_345);
  const checks = permissionChecks(await examine(home));
  assertFinding(
    await findingOf(checks, "home.permissions"),
    "fail",
    /belongs to user 12345/,
    /chown/,
  );
});

test("what killed processes and damage have left is told, and left there", async () => {
  await using home = await createHome();
  const ask = async (): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(leftoverChecks(await examine(home)), "login.leftovers");
  assertFinding(await ask(), "ok", /none/);
  const names = [
    "auth.json.corrupt-20260101T000000000Z",
    "auth.json.pending",
    ".auth.json.codex-login-x.tmp",
  ];
  for (const name of names) await writeFile(join(home.path, name), "x");
  await mkdir(join(home.path, "profiles"));
  const intent = { from: null, to: { name: "work", accountId: null, userId: null } };
  await writeFile(join(home.path, "profiles", ".exchange.json"), JSON.stringify(intent));
  const before = await home.list();
  assertFinding(
    await ask(),
    "warn",
    /corrupt-2026/,
    /auth\.json\.pending/,
    /1 temporary/,
    /exchange of profiles/,
  );
  assert.deepEqual(await home.list(), before);
});
