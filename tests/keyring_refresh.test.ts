import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { markEntryOlder } from "../src/credentials/older_entry.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import {
  createFakeKeyring,
  createKeyringWorld,
  type FakeKeyring,
  userOf,
} from "./testing/keyring.ts";
import { storeLogin } from "./testing/stored_login.ts";

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly words: string;
}

async function run(
  home: TestHome,
  keyring: FakeKeyring,
  store: string,
  args: readonly string[],
): Promise<Ran> {
  const world = await createKeyringWorld(keyring);
  const all = [...args, "--codex-home", home.path, "-c", `cli_auth_credentials_store=${store}`];
  const exitCode = await runCli(all, world);
  return { exitCode, out: world.data.join("\n"), words: world.words.join("\n") };
}

async function moveIntoKeyring(home: TestHome, keyring: FakeKeyring): Promise<void> {
  keyring.entries.set(await userOf(home), await home.readAuth());
  await rm(home.authPath);
}

const isWrite = (steps: readonly { op: string }[]): boolean =>
  steps.some(({ op }) => op === "write");

test("auto: a keyring that is gone when the renewed tokens come costs nothing", async () => {
  for (const failsAt of ["the write", "the reading and the write"]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const keyring = createFakeKeyring();
    await storeLogin(home, issuer, 100);
    await moveIntoKeyring(home, keyring);
    keyring.failsAt = (steps) =>
      issuer.asked("refresh").length > 0 && (failsAt !== "the write" || isWrite(steps));
    const { exitCode, out, words } = await run(home, keyring, "auto", ["token"]);
    assert.equal(exitCode, 0, words);
    assert.match(words, /The keyring cannot be used \(it was told to fail\)/);
    keyring.failsAt = () => false;
    assert.equal((await run(home, keyring, "auto", ["token"])).out, out);
    assert.equal(issuer.asked("refresh").length, 1);
    // The keyring is back: the login is in it again, and nowhere else.
    const entry = JSON.parse(keyring.entries.get(await userOf(home)) ?? "");
    assert.equal(entry.tokens.access_token, out);
    assert.ok(!(await home.list()).includes("auth.json"));
  }
});

test("auto: another login in the file is not overwritten by a renewal that has lost its keyring", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await storeLogin(home, issuer, 100);
  await moveIntoKeyring(home, keyring);
  const other = { auth_mode: "apikey", OPENAI_API_KEY: "sk-other" };
  await home.writeAuth(other);
  keyring.failsAt = () => issuer.asked("refresh").length > 0;
  const { exitCode, out, words } = await run(home, keyring, "auto", ["token"]);
  assert.equal(exitCode, 3, words);
  assert.match(words, /its place cannot be reached any more/);
  assert.notEqual(out, "");
  assert.deepEqual(await home.authJson(), other);
});

test("while the entry is marked as older, no step of a renewal leaves a login whose token is used up", async () => {
  for (const store of ["keyring", "auto"]) {
    for (let failing = 1; failing <= 6; failing++) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const keyring = createFakeKeyring();
      await storeLogin(home, issuer, 100);
      keyring.entries.set(await userOf(home), JSON.stringify({ OPENAI_API_KEY: "sk-older" }));
      await markEntryOlder(home.path);
      let calls = 0;
      // Only the trial goes well before the request: a login that is moved first is no longer marked.
      keyring.failsAt = (steps) =>
        issuer.asked("refresh").length > 0
          ? ++calls >= failing
          : isWrite(steps) && steps.every(({ user }) => !user.endsWith("|probe"));
      await run(home, keyring, store, ["refresh"]);
      keyring.failsAt = () => false;
      // A used token is refused by the issuer.
      const { exitCode, words } = await run(home, keyring, store, ["refresh"]);
      assert.equal(exitCode, 0, `${store} ${failing}: ${words}`);
    }
  }
});

test("auto renews a file that another home may share where it is", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await storeLogin(home, issuer, 100);
  await mkdir(join(home.path, "shared"));
  await rename(home.authPath, join(home.path, "shared", "auth.json"));
  await symlink("shared/auth.json", home.authPath);
  const { exitCode, out, words } = await run(home, keyring, "auto", ["token"]);
  assert.equal(exitCode, 0, words);
  assert.equal(
    (await home.authJson() as { tokens: { access_token: string } }).tokens.access_token,
    out,
  );
  assert.equal(keyring.entries.size, 0);
});

test("auto without a keyring: token takes no lock and makes nothing", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.failure = "there is none";
  await storeLogin(home, issuer, 3_600);
  const { exitCode, words } = await run(home, keyring, "auto", ["token"]);
  assert.equal(exitCode, 0, words);
  assert.deepEqual(await home.list(), ["auth.json"]);
});

test("a login that works is served where it cannot be moved", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.failsAt = isWrite;
  const { tokens } = await storeLogin(home, issuer, 3_600);
  const { exitCode, out, words } = await run(home, keyring, "auto", ["token"]);
  assert.equal(exitCode, 0, words);
  assert.equal(out, tokens["access_token"]);
  assert.match(words, /The login stays where it is: The keyring cannot be used/);
  assert.equal(keyring.entries.size, 0);
});

test("what a failed removal left in the keyring goes at the next renewal", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await storeLogin(home, issuer, 3_600);
  await moveIntoKeyring(home, keyring);
  keyring.failsAt = (steps) => steps.some(({ op }) => op === "remove");
  const moved = await run(home, keyring, "file", ["token"]);
  assert.equal(moved.exitCode, 0, moved.words);
  assert.match(moved.words, /moved from the keyring .*, but an older copy is left in the keyring/);
  keyring.failsAt = () => false;
  assert.equal((await run(home, keyring, "file", ["refresh"])).exitCode, 0);
  assert.equal(keyring.entries.size, 0);
  assert.ok(!(await home.list()).includes("auth.keyring-is-older"));
});

test("a damaged name of the login in use stops a sign-in, and no token", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, 100);
  await mkdir(join(home.path, "profiles"), { mode: 0o700 });
  await writeFile(join(home.path, "profiles", "active.json"), "{damaged", { mode: 0o600 });
  const { exitCode, words } = await run(home, createFakeKeyring(), "file", ["token"]);
  assert.equal(exitCode, 0, words);
  const login = await run(home, createFakeKeyring(), "file", ["login", "--timeout", "1s"]);
  assert.equal(login.exitCode, 3, login.words);
  assert.match(login.words, /active\.json is damaged/);
});

test("who waits does not send again a token whose successor could not be saved", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await storeLogin(home, issuer, -10);
  await moveIntoKeyring(home, keyring);
  const answered = Promise.withResolvers<void>();
  issuer.misbehave.refresh = { after: answered.promise };
  keyring.failsAt = (steps) => issuer.asked("refresh").length > 0 && isWrite(steps);
  const runs = [1, 2].map(() => run(home, keyring, "keyring", ["token"]));
  while (issuer.asked("refresh").length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  answered.resolve();
  const ended = await Promise.all(runs);
  assert.deepEqual(ended.map(({ exitCode }) => exitCode), [3, 3]);
  assert.equal(issuer.asked("refresh").length, 1);
  assert.deepEqual(ended.map(({ out }) => out !== "").sort(), [false, true]);
  assert.match(ended.map(({ words }) => words).join(), /could not save it/);
});
