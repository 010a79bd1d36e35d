import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { LoginError } from "../src/errors.ts";
import type { Stdin } from "../src/world.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { holdLock } from "./testing/lock_holder.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";

function stdin(text: string | Uint8Array): Stdin {
  return { read: () => Promise.resolve(Buffer.from(text)) };
}

async function run(
  home: TestHome,
  input: Stdin,
  ...args: string[]
): Promise<{ exitCode: number; world: TestWorld }> {
  const world = await createWorld({ stdin: input, env: {} });
  const exitCode = await runCli(
    ["login", "--with-api-key", "--codex-home", home.path, ...args],
    world,
  );
  return { exitCode, world };
}

test("login --with-api-key saves what came on stdin, in the reference's form, and shows it masked", async () => {
  await using home = await createHome();
  const { exitCode, world } = await run(home, stdin(`${KEY}\n`));
  assert.equal(exitCode, 0);
  assert.equal(
    await home.readAuth(),
    `{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "${KEY}"\n}`,
  );
  assert.equal(await home.mode("auth.json"), "600");
  const words = world.words.join("\n");
  assert.ok(words.includes("sk-pro***mnop"));
  assert.ok(!(words + await home.textOutsideAuth()).includes(KEY));
  assert.deepEqual(world.data, []);
});

test("login --with-api-key --json tells what programs need, and no key", async () => {
  await using home = await createHome();
  const { world } = await run(home, stdin(KEY), "--json");
  assert.deepEqual(world.data.map((line) => JSON.parse(line)), [
    { event: "completed", account: null, store: "file", path: home.authPath },
  ]);
});

test("login --with-api-key refuses what is no key, repeats nothing of it, and leaves the old login", async () => {
  const rows: [name: string, input: string | Uint8Array][] = [
    ["nothing", ""],
    ["blank", " \r\n\t"],
    ["two lines", `${KEY}\n${KEY}`],
    ["two words", "sk-one two"],
    ["control", "sk-\x1b[31m0123456789"],
    ["not UTF-8", new Uint8Array([0x73, 0x6b, 0xff, 0xfe])],
    ["too long", "x".repeat(5_000)],
    ["access token", "at-0123456789"],
  ];
  for (const [name, input] of rows) {
    await using home = await createHome();
    await home.writeAuth({ OPENAI_API_KEY: "sk-old-key-0123456789" });
    const before = await home.readAuth();
    const { exitCode, world } = await run(home, stdin(input));
    assert.equal(exitCode, 1, name);
    const words = world.words.join("\n");
    assert.match(words, /error\[API_KEY_INVALID\]/);
    assert.ok(words.includes("your earlier login is untouched"), name);
    assert.ok(!words.includes("0123456789") && !words.includes("\x1b"), name);
    assert.equal(await home.readAuth(), before);
  }
});

test("login --with-api-key at a terminal gives a hint instead of waiting", async () => {
  await using home = await createHome();
  const world = await createWorld({
    stdin: { read: () => new Promise(() => {}) },
    isTerminal: () => Promise.resolve(true),
  });
  const exitCode = await runCli(["login", "--with-api-key", "--codex-home", home.path], world);
  assert.equal(exitCode, 2);
  assert.match(
    world.words.join("\n"),
    /error\[STDIN_TERMINAL\][^]*printenv OPENAI_API_KEY \| codex-login login --with-api-key/,
  );
  assert.deepEqual(await home.list().then((names) => names.includes("auth.json")), false);
});

test("login --with-api-key is not lost to a process that renews the old login for ever", async () => {
  await using home = await createHome();
  await using _held = await holdLock(join(home.path, "auth.refresh.lock"));
  let time = 0;
  const world = await createWorld({
    stdin: stdin(KEY),
    sleep: () => Promise.resolve(),
    elapsed: () => time += 500,
  });
  const args = ["login", "--with-api-key", "--timeout", "0", "--codex-home", home.path];
  assert.equal(await runCli(args, world), 0, world.words.join("\n"));
  assert.equal((await home.authJson())["OPENAI_API_KEY"], KEY);
  assert.match(
    world.words.join("\n"),
    /Waiting for flock \(process \d+\), which holds auth\.refresh\.lock[^]*does not come to an end/,
  );
});

test("login --with-api-key waits for stdin only so long", async () => {
  await using home = await createHome();
  const silent: Stdin = {
    read: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  assert.equal((await run(home, silent, "--timeout", "30ms")).exitCode, 6);
  const world = await createWorld({ stdin: silent });
  const ended = runCli(["login", "--with-api-key", "--codex-home", home.path], world);
  setTimeout(() => world.end(new LoginError("INTERRUPTED", "Ended")), 30);
  assert.equal(await ended, 130);
});

test("login --with-api-key obeys forced_login_method, and says that replaced tokens are left to expire", async () => {
  await using home = await createHome();
  const { exitCode, world } = await run(home, stdin(KEY), "-c", "forced_login_method=chatgpt");
  assert.equal(exitCode, 1);
  assert.match(world.words.join("\n"), /LOGIN_METHOD_FORBIDDEN/);
});

test("login --with-api-key tells what a person should know of the store and the environment", async () => {
  await using home = await createHome();
  const args = [
    "login",
    "--with-api-key",
    "-c",
    "cli_auth_credentials_store=auto",
    "--codex-home",
    home.path,
  ];
  const world = await createWorld({ stdin: stdin(KEY), env: { CODEX_ACCESS_TOKEN: "at-1" } });
  assert.equal(await runCli(args, world), 0);
  const words = world.words.join("\n");
  assert.match(words, /keyring cannot be used \([^]+auth\.json is used instead/);
  assert.match(words, /CODEX_ACCESS_TOKEN is set: programs use it instead of this login/);
});
