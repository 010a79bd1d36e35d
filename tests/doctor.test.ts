import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { CheckStatus } from "../src/checks/check.ts";
import { runCli } from "../src/cli.ts";
import { type CheckResult, diagnose } from "../src/doctor.ts";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { LoginError } from "../src/errors.ts";
import { directRoute } from "../src/hops.ts";
import { examine } from "./testing/examined.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../schemas/doctor.schema.json", import.meta.url), "utf8"),
);
const isAnswer: { (value: unknown): boolean; errors?: unknown } = new Ajv2020({
  allowUnionTypes: true,
}).compile(SCHEMA);
/** Nothing listens there. */
const NOBODY = "http://127.0.0.1:9";
/** No issuer is asked beyond this computer. */
const AT = ["--issuer", NOBODY];

interface Answer {
  readonly exitCode: number;
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  status(id: string): CheckStatus | undefined;
}

async function ask(args: readonly string[], changes: Partial<TestWorld> = {}): Promise<Answer> {
  const world = await createWorld(changes);
  const exitCode = await runCli(["doctor", "--json", ...args], world);
  const answer = JSON.parse(world.data.join(""));
  assert.ok(isAnswer(answer), JSON.stringify(isAnswer.errors));
  assert.equal(world.data.length, 1);
  const { ok, checks } = answer as { ok: boolean; checks: CheckResult[] };
  const ids = checks.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(exitCode, ok ? 0 : 1);
  assert.equal(ok, !checks.some(({ status }) => status === "fail"));
  return { exitCode, ok, checks, status: (id) => checks.find((one) => one.id === id)?.status };
}

/** Name, kind, mode, owner, size and time of everything in it. */
async function snapshot(home: TestHome): Promise<string[]> {
  const names = await readdir(home.path, { recursive: true });
  const rows = names.sort().map(async (name) => {
    const { mode, uid, size, mtimeMs } = await stat(join(home.path, name));
    return `${name} ${mode} ${uid} ${size} ${mtimeMs}`;
  });
  return await Promise.all(rows);
}

test("a home that works has no failure, and nothing is changed or asked with a secret", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, 3_600);
  await writeFile(join(home.path, "auth.lock"), "", { mode: 0o600 });
  await writeFile(join(home.path, "config.toml"), "forced_login_method = 'chatgpt'\n");
  const before = await snapshot(home);
  // Without a name it is the login's own issuer that is looked for.
  const answer = await ask(["--codex-home", home.path], {
    env: { DISPLAY: ":0", BROWSER: "/bin/sh" },
  });
  assert.equal(
    answer.exitCode,
    0,
    JSON.stringify(answer.checks.filter(({ status }) => status === "fail")),
  );
  for (
    const id of ["login.stored", "issuer.http", "issuer.clock", "loopback.ipv4", "browser.opener"]
  ) {
    assert.equal(answer.status(id), "ok", id);
  }
  assert.deepEqual(await snapshot(home), before);
  const sent = JSON.stringify(issuer.requests);
  for (const token of Object.values(tokens)) assert.ok(!sent.includes(token));
  assert.deepEqual(issuer.requests.map(({ method, endpoint }) => `${method} ${endpoint}`), [
    "GET other",
  ]);
});

test("for people each finding is a line, with what was expected and what to do, and an end that sums up", async () => {
  await using home = await createHome();
  const world = await createWorld({ columns: () => 80 });
  const exitCode = await runCli(["doctor", "--codex-home", home.path, ...AT], world);
  assert.equal(exitCode, 1);
  assert.deepEqual(world.data, []);
  const text = world.words.join("\n");
  assert.match(text, /^\[ok\] {3}program\.version: codex-login /);
  assert.match(
    text,
    /\n\[warn\] login\.stored: nobody is signed in[^]*?\n {7}expected: a login\n {7}try: codex-login\n/,
  );
  assert.match(
    text,
    /\n\[fail\] issuer\.tcp: 127\.0\.0\.1:9: [^]*?\n {7}expected: a connection\n {7}try: /,
  );
  assert.match(text, /\n\[skip\] issuer\.http: because issuer\.tcp fails\n/);
  assert.match(text, /\n1 check failed, \d+ warnings?\.$/);
  for (const line of world.words) {
    assert.ok(
      line.length <= 80 || !/ /.test(line.trim().slice(0, -1)) || /\S{60}/.test(line),
      line,
    );
  }
  assert.deepEqual(await home.list(), []);
  const colored = await createWorld({ env: { FORCE_COLOR: "1" } });
  await runCli(["doctor", "--codex-home", home.path, ...AT], colored);
  assert.ok(colored.words.join("\n").includes("\x1b[1;31m[fail]\x1b[0m issuer.tcp"));
});

test("what is broken is told, whatever it is", async () => {
  await using home = await createHome();
  const at = (path: string): string[] => ["--codex-home", path, ...AT];
  assert.equal((await ask(at(join(home.path, "no/such")))).status("home.folder"), "ok");
  await home.writeAuth("{ broken");
  const asFile = await ask(at(home.authPath));
  assert.equal(asFile.status("home.folder"), "fail");
  assert.equal(asFile.status("home.space"), "skip");
  const corrupt = await ask(at(home.path));
  assert.equal(corrupt.status("login.stored"), "fail");
  assert.equal(corrupt.status("home.folder"), "ok");
  await writeFile(join(home.path, "config.toml"), "= broken");
  const settings = await ask(at(home.path));
  assert.equal(settings.status("settings.files"), "fail");
  assert.equal(settings.status("settings.names"), "skip");
  assert.equal(settings.status("loopback.ipv4"), "ok");
  await using other = await createHome();
  await mkdir(join(other.path, "config.toml"));
  assert.equal((await ask(at(other.path))).status("settings.files"), "fail");
  await symlink("/nonexistent/x", join(other.path, "lost"));
  assert.equal((await ask(at(join(other.path, "lost")))).status("home.folder"), "fail");
  // The variables decide as well, and may be wrong too.
  const env = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: "http://evil.test/" };
  await using third = await createHome();
  assert.equal((await ask(at(third.path), { env })).status("settings.files"), "fail");
});

test("what the command line says wrong is wrong usage", async () => {
  await using home = await createHome();
  for (
    const args of [["--issuer", "http://evil.test"], ["-c", "nonsense"], ["--bundle"], ["more"]]
  ) {
    const world = await createWorld();
    assert.equal(
      await runCli(["doctor", "--codex-home", home.path, ...args], world),
      2,
      args.join(" "),
    );
  }
});

test("with a variable that runs foreign code only the doctor runs, and it reads no login", async () => {
  await using home = await createHome();
  await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: "sk-0123456789" });
  const { runtime } = await createWorld();
  const hazard = { variable: "BUN_OPTIONS", effect: "it can run foreign code in this program" };
  const changes = { runtime: { ...runtime, hazard: () => hazard } };
  const answer = await ask(["--codex-home", home.path, ...AT], changes);
  assert.equal(answer.status("environment.runtime"), "fail");
  assert.equal(answer.status("login.stored"), "skip");
  const world = await createWorld(changes);
  assert.equal(await runCli(["status", "--codex-home", home.path], world), 2);
});

test("a keyring and an issuer that hang cost 15 seconds at most, and nothing else waits for them", async () => {
  await using home = await createHome();
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const clock = createSteppedClock();
  const examined = await examine(home, {
    ...clock,
    env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" },
    keyring: () => new Promise(() => {}),
    overrides: ["cli_auth_credentials_store=keyring"],
  });
  const { port } = silent.address() as AddressInfo;
  const base = `https://127.0.0.1:${port}`;
  const config = {
    ...examined.config,
    isIssuerNamed: true,
    issuer: { ...examined.config.issuer, base },
  };
  const { results } = await diagnose({ ...examined, config });
  const hanging = new Set(["login.stored", "login.copies", "keyring.access", "issuer.tls"]);
  const done: CheckResult[] = [];
  const all = Promise.all(results.map(async (pending) => {
    const result = await pending;
    done.push(result);
    return result;
  }));
  // Real files and sockets take real time; the clock stands still for them.
  while (done.length < results.length - hanging.size - 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await clock.advance(15_000);
  const found = await all;
  for (const { id, status, measured, ms } of found) {
    assert.ok(ms <= 14_500, id);
    if (!hanging.has(id)) continue;
    assert.equal(status, "fail", id);
    assert.match(measured, /took too long/);
  }
  assert.equal(found.find(({ id }) => id === "issuer.http")?.status, "skip");
  assert.equal(found.find(({ id }) => id === "port.1455")?.status, "ok");
  silent.close();
  for (const socket of sockets) socket.destroy();
});

test("hops that each take almost their limit are over in 15 seconds together", async () => {
  await using home = await createHome();
  const clock = createSteppedClock();
  const examined = await examine(home, clock);
  const slow = directRoute(examined.world.fetch);
  const connect: typeof slow.connect = async (target, signal) => {
    await clock.sleep(2_900, signal);
    return await slow.connect(target, signal);
  };
  await using issuer = await startIssuer();
  const named = {
    ...examined.config,
    isIssuerNamed: true,
    issuer: { ...examined.config.issuer, base: issuer.url },
  };
  const fetch = (): Promise<Response> => new Promise(() => {});
  const started = clock.elapsed();
  const { results } = await diagnose({ ...examined, config: named }, { connect, fetch });
  let isOver = false;
  const all = Promise.all(results).finally(() => isOver = true);
  while (!isOver && clock.elapsed() - started < 60_000) {
    await clock.advance(50);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const found = await all;
  assert.ok(clock.elapsed() - started <= 15_000, String(clock.elapsed() - started));
  assert.equal(found.find(({ id }) => id === "issuer.http")?.status, "fail");
});

test("being told to end ends it at once, and leaves no file", async () => {
  await using home = await createHome();
  const world = await createWorld({
    env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" },
    keyring: () => new Promise(() => world.end(new LoginError("INTERRUPTED", "Cancelled"))),
  });
  const bundle = join(home.path, "report.txt");
  const args = ["doctor", "--codex-home", home.path, "--bundle", bundle, ...AT];
  assert.equal(await runCli([...args, "-c", "cli_auth_credentials_store=keyring"], world), 130);
  assert.deepEqual(await home.list(), []);
});

test("a bundle is written beside the answer, and what is there already stays", async () => {
  await using home = await createHome();
  const bundle = join(home.path, "report.txt");
  const args = ["doctor", "--codex-home", home.path, "--bundle", bundle, ...AT];
  const world = await createWorld();
  assert.equal(await runCli(args, world), 1);
  assert.match(world.words.at(-1) ?? "", /^Written: .*report\.txt\. Read it before you send it/);
  const text = await readFile(bundle, "utf8");
  assert.match(text, /"id":"issuer\.tcp","status":"fail"/);
  const again = await createWorld();
  assert.equal(await runCli([...args, "--json"], again), ERROR_KINDS.OUTPUT_FAILED.exit);
  const failure = JSON.parse(again.data[0] ?? "");
  assert.equal(isAnswer(failure), true);
  assert.equal(failure.error.code, "OUTPUT_FAILED");
  assert.equal(await readFile(bundle, "utf8"), text);
});

test("a folder that nobody may look into is told", {
  skip: process.getuid?.() === 0 && "root may look anywhere",
}, async () => {
  await using home = await createHome();
  await chmod(home.path, 0o000);
  assert.equal((await ask(["--codex-home", home.path, ...AT])).status("home.folder"), "fail");
});

test("the schema names every error code, and refuses what is not as described", () => {
  assert.deepEqual(SCHEMA.$defs.error.properties.code.enum, Object.keys(ERROR_KINDS));
  const check = { id: "a.b", status: "ok", measured: "m", expected: null, remedy: null, ms: 0 };
  const answer = { schemaVersion: 1, ok: true, checks: [check] };
  assert.ok(isAnswer(answer));
  for (
    const wrong of [
      { ...check, status: "fail" },
      { ...check, expected: "x" },
      { ...check, status: "unknown" },
      { ...check, id: "A B" },
      { ...check, more: 1 },
      { ...check, ms: -1 },
    ]
  ) assert.ok(!isAnswer({ ...answer, checks: [wrong] }), JSON.stringify(wrong));
  assert.ok(!isAnswer({ ...answer, extra: 1 }) && !isAnswer({ ...answer, checks: [] }));
});
