import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { createLazyLog } from "../src/lazy_log.ts";
import { openLog } from "../src/log.ts";
import type { LogFields } from "../src/world.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { recordLog } from "./testing/recorded_log.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { createWorld } from "./testing/world.ts";

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

test("createLazyLog() opens with the first line, keeps what was hidden before, and loses nothing", async () => {
  const real = recordLog();
  let opened = 0;
  const lazy = createLazyLog(() => {
    opened++;
    return Promise.resolve(real);
  });
  lazy.hide("before");
  await lazy.flush();
  assert.deepEqual([opened, lazy.isOpened(), real.hidden], [0, false, []]);
  lazy.write("info", "t", "first", { port: 1 });
  lazy.write("info", "t", "second");
  lazy.hide("between");
  assert.equal(lazy.isOpened(), true);
  await lazy.flush();
  lazy.write("info", "t", "third");
  lazy.hide("after");
  await lazy.open();
  assert.equal(opened, 1);
  assert.deepEqual(real.lines.map(({ message }) => message), ["first", "second", "third"]);
  assert.deepEqual(real.lines[0]?.fields, { port: 1 });
  assert.deepEqual(real.hidden, ["before", "between", "after"]);
});

test("token, refresh and logout log what they ask of the issuer, and --verbose shows it", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const args = ["--verbose", "--codex-home", home.path];
  const logPath = join(home.path, "log", "codex-login.log");
  const run = async (...words: string[]): Promise<{ exitCode: number; lines: string[] }> => {
    await rm(join(home.path, "log"), { recursive: true, force: true });
    const world = await createWorld();
    const exitCode = await runCli([...words, ...args], world);
    const text = await readFile(logPath, "utf8").catch(() => "");
    const lines = text.split("\n").slice(0, -1);
    for (const line of lines) assert.ok(world.words.includes(line), `${line} is not shown`);
    assertNoSecrets(world.words.join("\n") + text, issuer);
    return { exitCode, lines: lines.map((line) => line.replace(/^\S+ +/, "")) };
  };
  const manager = "codex_login::auth::manager";
  const started = `INFO ${manager}: starting token refresh issuer=${issuer.url}/ ` +
    `token_endpoint=${issuer.url}/oauth/token`;
  const succeeded = `INFO ${manager}: token refresh succeeded`;

  await storeLogin(home, issuer, -10);
  assert.deepEqual(await run("token"), { exitCode: 0, lines: [started, succeeded] });
  assert.deepEqual(await run("refresh"), { exitCode: 0, lines: [started, succeeded] });
  issuer.misbehave.refresh = { status: 503, body: "" };
  assert.deepEqual(await run("refresh"), {
    exitCode: 5,
    lines: [
      started,
      `WARN ${manager}: failed to refresh token code=REFRESH_FAILED status=503`,
      "ERROR codex_cli::refresh: command failed code=REFRESH_FAILED",
    ],
  });
  assert.deepEqual(await run("logout"), {
    exitCode: 0,
    lines: [
      `INFO ${manager}: revoked auth tokens`,
      "INFO codex_cli::logout: the login was removed",
    ],
  });
});

test("a command with nothing to tell makes no log", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = async (...args: string[]): Promise<number> =>
    await runCli([...args, "--verbose", "--codex-home", home.path], await createWorld());
  for (const [command, exitCode] of [["token", 4], ["refresh", 4], ["logout", 0]] as const) {
    assert.equal(await run(command), exitCode);
    assert.deepEqual(await home.list(), []);
  }
  await storeLogin(home, issuer, 3_600);
  assert.equal(await run("token"), 0);
  assert.equal(await run("status"), 0);
  assert.equal(await run("token", "--min-ttl", "soon"), 2);
  assert.deepEqual(await home.list(), ["auth.json"]);
});

test("a log that cannot be opened is told, and a refresh goes on without it", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  await writeFile(join(home.path, "log"), "");
  const world = await createWorld();
  assert.equal(await runCli(["token", "--codex-home", home.path], world), 0);
  assert.match(world.words.join("\n"), /^Warning: The log .*codex-login\.log cannot be written/);
  assert.equal(world.data.length, 1);
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
