import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import {
  chmod,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { environmentSecrets } from "../src/environment_secrets.ts";
import { createLazyLog } from "../src/lazy_log.ts";
import { openLog } from "../src/log.ts";
import { openLogFile } from "../src/log_file.ts";
import { sleep } from "../src/system_world.ts";
import type { LogFields } from "../src/world.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { recordLog } from "./testing/recorded_log.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

verifies(
  "S63",
  "openLog() writes one line an event in the reference's form, 0600 in a folder of 0700",
  async () => {
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
  },
);

verifies(
  "S64",
  "openLog() drops fields of other names and cuts known secrets out of all",
  async () => {
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
  },
);

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
    const attempts = new Set(lines.map((line) => / attempt=([a-z2-7]{8})$/.exec(line)?.[1]));
    assert.equal(attempts.size, 1, "one attempt, one id");
    const plain = lines.map((line) =>
      line.replace(/^\S+ +/, "").replace(/ attempt=\w+$/, "").replace(/(duration_ms=)\d+/, "$1N")
    );
    return { exitCode, lines: plain };
  };
  const manager = "codex_login::auth::manager";
  const started = `INFO ${manager}: starting token refresh issuer=${issuer.url}/ ` +
    `token_endpoint=${issuer.url}/oauth/token`;
  const answered = (status: number): string =>
    `${status === 200 ? "INFO" : "WARN"} codex_login::story: request answered ` +
    `endpoint=${issuer.url}/oauth/token status=${status} duration_ms=N`;
  const done = (step: string): string => `INFO codex_login::story: ${step} done duration_ms=N`;
  const succeeded = [
    started,
    answered(200),
    `INFO ${manager}: token refresh succeeded`,
    done("token check"),
    done("save"),
  ];

  await storeLogin(home, issuer, -10);
  assert.deepEqual(await run("token"), { exitCode: 0, lines: succeeded });
  assert.deepEqual(await run("refresh"), { exitCode: 0, lines: succeeded });
  issuer.misbehave.refresh = { status: 503, body: "" };
  assert.deepEqual(await run("refresh"), {
    exitCode: 5,
    lines: [
      started,
      answered(503),
      `WARN ${manager}: failed to refresh token code=REFRESH_FAILED status=503`,
      "ERROR codex_cli::refresh: command failed code=REFRESH_FAILED status=503",
    ],
  });
  assert.deepEqual(await run("logout"), {
    exitCode: 0,
    lines: [
      `INFO codex_login::story: request answered endpoint=${issuer.url}/oauth/revoke status=200 ` +
      "duration_ms=N",
      `INFO ${manager}: revoked auth tokens`,
      done("removal"),
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

verifies("S63", "openLog() follows no link and waits for no FIFO", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "victim"), "untouched");
  await symlink("victim", join(home.path, "codex-login.log"));
  await assert.rejects(openLog({ folder: home.path }), { code: "SAVE_FAILED" });
  assert.equal(await readFile(join(home.path, "victim"), "utf8"), "untouched");
  const folder = join(home.path, "other");
  await mkdir(join(folder, "codex-login.log"), { recursive: true });
  await assert.rejects(openLog({ folder }), { code: "SAVE_FAILED" });

  const piped = join(home.path, "piped");
  await mkdir(piped);
  execFileSync("mkfifo", [join(piped, "codex-login.log")]);
  await assert.rejects(openLog({ folder: piped }), { code: "SAVE_FAILED" });
  // One that somebody reads can be opened, and is no log all the same.
  const reader = openSync(
    join(piped, "codex-login.log"),
    constants.O_RDONLY | constants.O_NONBLOCK,
  );
  await assert.rejects(openLog({ folder: piped }), {
    code: "SAVE_FAILED",
    reason: "it is not a regular file",
  });
  closeSync(reader);

  const named = join(home.path, "named");
  await mkdir(named);
  await link(join(home.path, "victim"), join(named, "codex-login.log"));
  await assert.rejects(openLog({ folder: named }), { reason: "it has more than one name" });
  assert.equal(await readFile(join(home.path, "victim"), "utf8"), "untouched");
});

test("openLog() goes on in its own file when something else takes the name, and in the new one after a rotation", async () => {
  await using home = await createHome();
  const folder = join(home.path, "log");
  const path = join(folder, "codex-login.log");
  const log = await openLog({ folder });
  await writeFile(join(home.path, "victim"), "untouched");
  await rename(path, join(home.path, "moved"));
  await symlink("../victim", path);
  log.write("info", "t", "first");
  assert.match(await readFile(join(home.path, "moved"), "utf8"), /first\n$/);
  await rm(path);
  log.write("info", "t", "second");
  assert.match(await readFile(path, "utf8"), /^\S+ {2}INFO t: second\n$/);
  await rm(folder, { recursive: true });
  log.write("info", "t", "nobody keeps this");
  assert.equal(await readFile(join(home.path, "victim"), "utf8"), "untouched");
  assert.deepEqual((await home.list()).sort(), ["moved", "victim"]);
});

verifies("S63", "a log that grows beyond 1 MiB while it is written is rotated then", async () => {
  await using home = await createHome();
  const path = join(home.path, "codex-login.log");
  await writeFile(path, "x".repeat(1 << 20), { mode: 0o600 });
  const { runtime } = await createWorld();
  const { append } = await openLogFile(home.path, runtime.tryLock);
  append("over\n");
  while (!(await home.list()).includes("codex-login.log.1")) await sleep(1);
  append("new\n");
  assert.equal(await readFile(path, "utf8"), "new\n");
  assert.match(await readFile(`${path}.1`, "utf8"), /xover\n$/);
});

test("of those who find the log too large at once, one rotates it, and no line is lost", async () => {
  await using home = await createHome();
  const { runtime } = await createWorld();
  const path = join(home.path, "codex-login.log");
  for (let round = 0; round < 5; round++) {
    await writeFile(path, "o".repeat((1 << 20) + 1), { mode: 0o600 });
    const files = await Promise.all(
      Array.from({ length: 8 }, () => openLogFile(home.path, runtime.tryLock)),
    );
    for (const [i, file] of files.entries()) file.append(`line ${i}\n`);
    assert.equal((await stat(`${path}.1`)).size, (1 << 20) + 1);
    const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1).sort();
    assert.deepEqual(lines, Array.from({ length: 8 }, (_, i) => `line ${i}`));
  }
});

verifies("S64", "no secret of the environment gets into a line", () => {
  const found = environmentSecrets({
    CODEX_ACCESS_TOKEN: "at-secret",
    OPENAI_API_KEY: "",
    HTTPS_PROXY: "http://me:p%40ss%3Aword@proxy.test:8080/",
    all_proxy: "me:plain-password@proxy.test",
    http_proxy: "http://proxy.test",
    HTTP_PROXY: "http://me:bad%zz@proxy.test",
    NO_PROXY: "a:b@c",
  });
  const basic = (text: string): string => Buffer.from(text).toString("base64");
  assert.deepEqual(found, [
    "at-secret",
    "p%40ss%3Aword",
    "p@ss:word",
    basic("me:p@ss:word"),
    "bad%zz",
    basic("me:bad%zz"),
    "plain-password",
    basic("me:plain-password"),
  ]);
});
