import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openLog } from "../src/log.ts";
import type { LogFields } from "../src/world.ts";
import { createHome } from "./testing/home.ts";

test("openLog() writes one line an event in the reference's form, 0600 in a folder of 0700", async () => {
  await using home = await createHome();
  const folder = join(home.path, "log");
  const echoed: string[] = [];
  const before = process.umask(0);
  const log = await openLog({ folder, echo: (line) => echoed.push(line) });
  process.umask(before);
  log.write("info", "codex_cli::login", "starting browser login flow");
  log.write("warning", "codex_login::server", "oauth callback returned error", {
    error_code: 'bad "one"\nforged line',
    has_error_description: true,
  });
  log.write("error", "codex_login::server", "failed", { port: 1455, path: "/auth/callback" });
  const lines = (await readFile(join(folder, "codex-login.log"), "utf8")).split("\n");
  const time = String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z `;
  assert.match(
    lines[0] ?? "",
    new RegExp(`${time} INFO codex_cli::login: starting browser login flow$`),
  );
  assert.match(
    lines[1] ?? "",
    new RegExp(
      `${time} WARN codex_login::server: oauth callback returned error ` +
        String.raw`error_code="bad \\"one\\" forged line" has_error_description=true$`,
    ),
  );
  assert.match(
    lines[2] ?? "",
    /ERROR codex_login::server: failed port=1455 path=\/auth\/callback$/,
  );
  assert.equal(lines[3], "");
  assert.deepEqual(echoed, lines.slice(0, 3));
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, "codex-login.log"))).mode & 0o777, 0o600);
});

test("openLog() drops fields of other names and cuts known secrets out of all", async () => {
  await using home = await createHome();
  const lines: string[] = [];
  const log = await openLog({ folder: home.path, echo: (line) => lines.push(line) });
  const secret = "s3cret/value+1";
  log.hide(secret);
  const fields = { error_code: `x${secret}y`, holder: encodeURIComponent(secret), token: "leak" };
  log.write("info", "t", "m", fields as LogFields);
  log.write("info", "t", "long", { holder: "z".repeat(1000) });
  assert.match(lines[0] ?? "", / error_code="x\[redacted\]y" holder="\[redacted\]"$/);
  assert.ok((lines[1] ?? "").length < 400);
  const text = await readFile(join(home.path, "codex-login.log"), "utf8");
  for (const leaked of [secret, "leak", encodeURIComponent(secret)]) {
    assert.ok(!text.includes(leaked));
  }
});

test("openLog() tightens a loose file, appends to it, and keeps one old one of more than 1 MiB", async () => {
  await using home = await createHome();
  const path = join(home.path, "codex-login.log");
  await writeFile(path, "old line\n");
  await chmod(path, 0o644);
  await openLog({ folder: home.path });
  assert.equal(await home.mode("codex-login.log"), "600");
  assert.equal(await readFile(path, "utf8"), "old line\n");

  await writeFile(path, "x".repeat((1 << 20) + 1));
  const log = await openLog({ folder: home.path });
  log.write("info", "t", "fresh");
  assert.ok((await stat(path)).size < 200);
  assert.equal((await stat(`${path}.1`)).size, (1 << 20) + 1);
  assert.equal(await home.mode("codex-login.log.1"), "600");
});

test("openLog() follows no link and waits for no FIFO", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "victim"), "untouched");
  await symlink("victim", join(home.path, "codex-login.log"));
  await assert.rejects(openLog({ folder: home.path }), { code: "SAVE_FAILED" });
  assert.equal(await readFile(join(home.path, "victim"), "utf8"), "untouched");
  const folder = join(home.path, "other");
  await mkdir(join(folder, "codex-login.log"), { recursive: true });
  await assert.rejects(openLog({ folder }), { code: "SAVE_FAILED" });
});
