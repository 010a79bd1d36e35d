import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { basename, join } from "node:path";
import { test } from "node:test";
import { migrateStore } from "../src/credentials/migrate_store.ts";
import { createKeyringAccess } from "../src/keyring_access.ts";
import { KEYRING_HELPER } from "../src/world.ts";
import { loadRuntime } from "../src/runtime/runtime.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { userOf } from "./testing/keyring.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import {
  type Ended,
  programCommand,
  programEnvironment,
  runProgram,
  startLogin,
  SUBJECT,
} from "./testing/program.ts";
import { MISSING_SECRET_SERVICE, startSecretService } from "./testing/secret_service.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";
const OLD = { auth_mode: "apikey", OPENAI_API_KEY: "sk-old-key-0123456789", mine: [1] };
const OPTIONS = { timeout: 120_000, skip: MISSING_SECRET_SERVICE };
const KEYRING = ["-c", "cli_auth_credentials_store=keyring"];
const AUTO = ["-c", "cli_auth_credentials_store=auto"];
/** Milliseconds: far less than a keyring that hangs would take, far more than a busy machine takes to start programs. */
const BOUND_MS = 15_000;

/** Of the entry in secret-tool's words; it has one of its own, which the reference's has not and does not look for. */
function attributes(found: string): Record<string, string> {
  const all = [...found.matchAll(/^attribute\.(\w+) = (.*)$/gm)];
  return Object.fromEntries(all.map(([, name = "", value = ""]) => [name, value]));
}

const secretOf = (found: string): string => /^secret = (.*)$/m.exec(found)?.[1] ?? "";

/** Told before anybody signs in, in bounded time; what was stored is as it was. */
async function assertRefused(
  home: TestHome,
  issuer: TestIssuer,
  env: Record<string, string>,
): Promise<Ended> {
  await home.writeAuth(OLD);
  const before = await home.readAuth();
  const started = performance.now();
  const login = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser", ...KEYRING];
  const ended = await runProgram(home, login, { env });
  assert.ok(performance.now() - started < BOUND_MS);
  assert.equal(ended.exitCode, 3, ended.stderr);
  assert.match(
    ended.stderr,
    /^error\[KEYRING_UNAVAILABLE\]: The keyring cannot be used\n\s+cause: /m,
  );
  assert.match(ended.stderr, /try: .*-c cli_auth_credentials_store=file/);
  assert.ok(!ended.stderr.includes("/oauth/authorize"));
  assert.equal(await home.readAuth(), before);
  assert.equal(issuer.requests.length, 0);
  return ended;
}

verifies(
  "S56",
  `${SUBJECT}: an API key goes into the keyring, under the reference's name, and out again`,
  OPTIONS,
  async () => {
    await using service = await startSecretService();
    await using home = await createHome();
    await home.writeAuth(OLD);
    const { env } = service;
    const run = (...args: string[]): Promise<Ended> => runProgram(home, args, { env, input: KEY });
    const saved = await run("login", "--with-api-key", "--json", ...KEYRING);
    assert.equal(saved.exitCode, 0, saved.stderr);
    assert.deepEqual(JSON.parse(saved.stdout), {
      event: "completed",
      account: null,
      store: "keyring",
      path: null,
    });
    const found = service.search();
    assert.deepEqual(attributes(found), {
      service: "Codex Auth",
      username: await userOf(home),
      target: "default",
    });
    assert.equal(secretOf(found), `{"auth_mode":"apikey","OPENAI_API_KEY":"${KEY}","mine":[1]}`);
    assert.ok(!(await home.list()).includes("auth.json"));
    const status = await run("status", ...KEYRING);
    assert.equal(status.exitCode, 0, status.stderr);
    assert.match(status.stderr, /Stored in the keyring\./);
    assert.equal((await run("status")).exitCode, 1);
    const out = await run("logout", ...KEYRING);
    assert.equal(out.exitCode, 0, out.stderr);
    assert.equal(service.search(), "");
    assert.equal((await run("status", ...KEYRING)).exitCode, 1);
    const told = [saved, status, out].map(({ stdout, stderr }) => stdout + stderr).join("");
    assert.ok(!(told + await home.textOutsideAuth()).includes(KEY));
  },
);

test(
  `${SUBJECT}: a browser login into the keyring, ended by a logout that looks elsewhere`,
  OPTIONS,
  async () => {
    await using service = await startSecretService();
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { env } = service;
    await using program = startLogin(home, issuer, KEYRING, { env });
    const authUrl = await program.authUrl();
    await visit(authUrl);
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Saved in the keyring\./);
    assertNoSecrets(stderr.replace(authUrl, "") + await home.textOutsideAuth(), issuer, authUrl);
    const document = JSON.parse(secretOf(service.search()));
    assert.equal(document.auth_mode, "chatgpt");
    assert.match(document.OPENAI_API_KEY, /^sk-test_/);
    const status = await runProgram(home, ["status", "--json", ...KEYRING], { env });
    assert.equal(JSON.parse(status.stdout).account.email, "ada@example.com");
    const out = await runProgram(home, ["logout"], { env });
    assert.equal(out.exitCode, 0, out.stderr);
    assert.equal(issuer.liveRefreshTokens.size, 0);
    assert.equal(service.search(), "");
  },
);

verifies(
  "S56",
  `${SUBJECT}: no keyring, a hanging one and a locked one are told before anybody signs in`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    assert.match((await assertRefused(home, issuer, {})).stderr, /no D-Bus session/);

    await using service = await startSecretService();
    const { env } = service;
    // Something of ours in it, so that a prompt would be asked for.
    await using other = await createHome();
    const input = { env, input: KEY };
    assert.equal(
      (await runProgram(other, ["login", "--with-api-key", ...KEYRING], input)).exitCode,
      0,
    );
    service.lock();
    assert.match((await assertRefused(home, issuer, env)).stderr, /cause: .*prompt/);
    assert.equal((await runProgram(other, ["status", ...KEYRING], { env })).exitCode, 3);
    service.stop();
    await assertRefused(home, issuer, env);
  },
);

/** Also when whoever asked it is gone. */
function assertHelperEnds(home: TestHome, env: Record<string, string>): void {
  const [program = "", ...args] = [...programCommand(), KEYRING_HELPER];
  const { signal } = spawnSync(program, args, {
    input: JSON.stringify([{ op: "read", user: "u" }]),
    env: { ...programEnvironment(home), ...env },
    timeout: 60_000,
  });
  assert.equal(signal, "SIGALRM");
}

verifies("S56", `${SUBJECT}: a bus that never answers is given up`, {
  timeout: 120_000,
  skip: process.platform !== "linux"
    ? "D-Bus is Linux's"
    : (SUBJECT === "bundle" || (SUBJECT === "source" && "Bun" in globalThis)) &&
      "six seconds, once for each way to start the helper",
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const path = join(home.path, "silent");
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket)).listen(path);
  await once(silent, "listening");
  try {
    const env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
    const { stderr } = await assertRefused(home, issuer, env);
    assert.match(stderr, /cause: it did not answer within 3 s/);
    const out = await runProgram(home, ["logout", "--local-only"], { env });
    assert.equal(out.exitCode, 0, out.stderr);
    assert.match(out.stderr, /keyring could not be looked into \(it did not answer/);
    assert.ok(!(await home.list()).includes("auth.json"));
    if (SUBJECT === "executable") assertHelperEnds(home, env);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

verifies(
  "S56",
  `${SUBJECT}: auto takes the file where the keyring fails, says so, and logs out`,
  OPTIONS,
  async () => {
    await using service = await startSecretService();
    await using home = await createHome();
    const run = (env: Record<string, string>, ...args: string[]): Promise<Ended> =>
      runProgram(home, [...args, ...AUTO], { env, input: KEY });
    const saved = await run({}, "login", "--with-api-key");
    assert.equal(saved.exitCode, 0, saved.stderr);
    assert.match(saved.stderr, /The keyring cannot be used \(.+\); .*auth\.json is used instead/);
    assert.equal((await home.authJson())["OPENAI_API_KEY"], KEY);
    const status = await run({}, "status", "--json");
    assert.equal(JSON.parse(status.stdout).store, "file");
    const out = await run({}, "logout");
    assert.equal(out.exitCode, 0, out.stderr);
    assert.ok(!(await home.list()).includes("auth.json"));

    const { env } = service;
    assert.equal((await run(env, "login", "--with-api-key")).exitCode, 0);
    assert.ok(!(await home.list()).includes("auth.json"));
    assert.match(service.search(), /Codex Auth/);
    assert.equal(JSON.parse((await run(env, "status", "--json")).stdout).store, "keyring");
    assert.equal((await run(env, "logout")).exitCode, 0);
    assert.equal(service.search(), "");
  },
);

test("a login is moved into a real keyring and back", {
  ...OPTIONS,
  skip: OPTIONS.skip || (SUBJECT !== "source" && "no command does only that"),
}, async () => {
  await using service = await startSecretService();
  await using home = await createHome();
  await home.writeAuth(OLD);
  const { env } = service;
  const command = (await loadRuntime()).helperCommand(KEYRING_HELPER);
  const world = await createWorld({
    env,
    keyring: createKeyringAccess(command, programEnvironment(home, env)),
  });
  const notes: string[] = [];
  const tell = (note: string): void => void notes.push(note);
  await migrateStore(world, { home: home.path, store: "keyring" }, tell);
  assert.equal(secretOf(service.search()), JSON.stringify(OLD));
  assert.ok(!(await home.list()).includes("auth.json"));
  await migrateStore(world, { home: home.path, store: "file" }, tell);
  assert.deepEqual(await home.authJson(), OLD);
  assert.equal(service.search(), "");
  assert.equal(notes.length, 2);
});

test(
  `${SUBJECT}: alone in a folder, the executable has the keyring with it and the bundle says what is missing`,
  {
    ...OPTIONS,
    skip: OPTIONS.skip || (SUBJECT === "source" && "the sources are never alone"),
  },
  async () => {
    await using service = await startSecretService();
    await using home = await createHome();
    const command = programCommand();
    const built = command.at(-1) ?? "";
    const copy = join(home.path, basename(built));
    await copyFile(built, copy);
    const [program = "", ...before] = [...command.slice(0, -1), copy];
    const { status, stderr } = spawnSync(program, [
      ...before,
      "login",
      "--with-api-key",
      ...KEYRING,
    ], {
      env: programEnvironment(home, service.env),
      cwd: home.path,
      input: KEY,
      encoding: "utf8",
    });
    if (SUBJECT === "executable") {
      assert.equal(status, 0, stderr);
      assert.match(service.search(), new RegExp(KEY));
      return;
    }
    assert.equal(status, 3, stderr);
    assert.match(
      stderr,
      /error\[KEYRING_UNAVAILABLE\][^]*cause: @napi-rs\/keyring cannot be loaded/,
    );
    assert.equal(await readFile(home.authPath, "utf8").catch(() => ""), "");
  },
);
