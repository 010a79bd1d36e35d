import assert from "node:assert/strict";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../../src/cli.ts";
import { apiKeyDocument } from "../../src/credentials/auth_document.ts";
import { createKeyring, entryUser } from "../../src/credentials/keyring.ts";
import { openStore } from "../../src/credentials/open_store.ts";
import type { CredentialStore, Replaced } from "../../src/credentials/store.ts";
import { createHome, type TestHome } from "../testing/home.ts";
import {
  createFakeKeyring,
  createKeyringWorld,
  type FakeKeyring,
  userOf,
} from "../testing/keyring.ts";
import { verifies } from "../testing/verifies.ts";

const OLD = { auth_mode: "apikey", OPENAI_API_KEY: "sk-old", mine: [1] };
const OTHER = { auth_mode: "apikey", OPENAI_API_KEY: "sk-other" };

async function open(
  keyring: FakeKeyring,
  home: TestHome,
  store: "keyring" | "auto" = "keyring",
): Promise<CredentialStore> {
  return openStore(await createKeyringWorld(keyring), { home: home.path, store });
}

function saveKey(store: CredentialStore, notes: string[] = []): Promise<Replaced> {
  return store.update(
    (current) => apiKeyDocument("sk-new", current?.document),
    (note) => void notes.push(note),
  );
}

verifies(
  "S56",
  "entryUser() is the reference's: the first 16 digits of SHA-256 of the canonical path",
  async () => {
    assert.equal(await entryUser("linux", "/nowhere/codex"), "cli|648827efbc8ebffd");
    await using home = await createHome();
    const link = join(home.path, "link");
    await symlink(home.path, link);
    assert.equal(await entryUser(process.platform, link), await userOf(home));
    assert.notEqual(await entryUser("win32", "C:\\a"), await entryUser("linux", "C:\\a"));
  },
);

test("the keyring store writes the compact document, keeps what is not ours, and removes auth.json", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.entries.set(await userOf(home), JSON.stringify(OLD));
  await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: "sk-old" });
  const store = await open(keyring, home);
  const notes: string[] = [];
  assert.equal((await store.load((note) => void notes.push(note)))?.apiKey, "sk-old");
  assert.match(notes.join(), /auth\.json is ignored/);
  const { earlier, keptAside } = await saveKey(store);
  assert.equal(earlier?.apiKey, "sk-old");
  assert.equal(keptAside, undefined);
  assert.deepEqual([...keyring.entries], [
    [await userOf(home), '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-new","mine":[1]}'],
  ]);
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.deepEqual([store.kind, store.path], ["keyring", null]);
});

test("the keyring store takes a login in auth.json for the earlier one while the keyring is empty", async () => {
  await using home = await createHome();
  await home.writeAuth(OLD);
  const store = await open(createFakeKeyring(), home);
  const notes: string[] = [];
  assert.equal(await store.load((note) => void notes.push(note)), undefined);
  assert.match(notes.join(), /auth\.json does not count .*: codex-login token$/);
  assert.equal((await saveKey(store)).earlier?.apiKey, "sk-old");
});

test("the keyring store keeps damaged credentials aside, each kind where it was", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  const user = await userOf(home);
  keyring.entries.set(user, "{damaged");
  const store = await open(keyring, home);
  await assert.rejects(store.load(), { code: "CREDENTIALS_CORRUPT" });
  assert.match((await saveKey(store)).keptAside ?? "", /^the keyring's entry corrupt-/);
  const aside = [...keyring.entries].filter(([name]) => name.startsWith(`${user}|corrupt-`));
  assert.deepEqual(aside.map(([, text]) => text), ["{damaged"]);

  await home.writeAuth("{damaged");
  assert.match((await saveKey(store)).keptAside ?? "", /auth\.json\.corrupt-/);
  const names = await home.list();
  const [kept = ""] = names.filter((name) => name.includes("corrupt"));
  assert.equal(await home.mode(kept), "600");
  assert.ok(!names.includes("auth.json"));
});

test("the keyring store proves itself with an entry of another name, which it leaves no trace of", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await (await open(keyring, home)).prove("sign-in");
  assert.deepEqual(keyring.calls[0]?.map(({ op }) => op), ["write", "read", "remove"]);
  assert.ok(keyring.calls[0]?.every(({ user }) => user.endsWith("|probe")));
  assert.equal(keyring.entries.size, 0);
});

verifies(
  "S56",
  "a keyring that fails is told in its own words, cleaned, and nothing is written",
  async () => {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    await home.writeAuth(OLD);
    const before = await home.readAuth();
    keyring.failure = "locked\x1b[31m by \u202esomebody";
    const store = await open(keyring, home);
    for (
      const attempt of [() => store.prove("sign-in"), () => store.load(), () => saveKey(store)]
    ) {
      await assert.rejects(attempt(), {
        code: "KEYRING_UNAVAILABLE",
        exitCode: 3,
        reason: "locked[31m by somebody",
        hint: /cli_auth_credentials_store=file/,
      });
    }
    assert.equal(await home.readAuth(), before);
    assert.equal(keyring.entries.size, 0);
  },
);

test("a keyring that gives back something else has saved nothing", async () => {
  await using home = await createHome();
  await home.writeAuth(OLD);
  const before = await home.readAuth();
  const world = await createKeyringWorld(createFakeKeyring(), {
    keyring: (steps) =>
      Promise.resolve({
        texts: steps.filter(({ op }) => op === "read").map(() => null),
      }),
  });
  const store = await openStore(world, { home: home.path, store: "keyring" });
  await assert.rejects(saveKey(store), {
    code: "KEYRING_UNAVAILABLE",
    reason: "it did not give back what was written",
  });
  assert.equal(await home.readAuth(), before);
});

test("without a session bus nobody is asked, and a giant entry is no login", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  const world = await createKeyringWorld(keyring, { env: {}, platform: "linux" });
  await assert.rejects(createKeyring(world, home.path).read(), { reason: /no D-Bus session/ });
  assert.equal(keyring.calls.length, 0);
  keyring.entries.set(await userOf(home), "x".repeat((1 << 20) + 1));
  await assert.rejects((await open(keyring, home)).load(), { code: "CREDENTIALS_CORRUPT" });
});

verifies(
  "S56",
  "auto falls back to auth.json, says so, and the older entry does not come back",
  async () => {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    const user = await userOf(home);
    keyring.entries.set(user, JSON.stringify(OTHER));
    keyring.failure = "locked";
    const notes: string[] = [];
    const store = await open(keyring, home, "auto");
    await store.prove("sign-in", (note) => void notes.push(note));
    await saveKey(store, notes);
    assert.deepEqual([store.kind, store.path], ["file", home.authPath]);
    assert.equal(notes.filter((note) => /keyring cannot be used \(locked\)/.test(note)).length, 1);
    assert.equal((await home.authJson())["OPENAI_API_KEY"], "sk-new");

    keyring.failure = undefined;
    const later = await open(keyring, home, "auto");
    assert.equal((await later.load())?.apiKey, "sk-new");
    assert.equal(later.kind, "file");
    assert.equal((await saveKey(later)).earlier?.apiKey, "sk-new");
    assert.equal(later.kind, "keyring");
    assert.equal(JSON.parse(keyring.entries.get(user) ?? "").OPENAI_API_KEY, "sk-new");
    assert.deepEqual((await home.list()).sort(), ["auth.json.lock", "auth.lock"]);
  },
);

test("auto keeps what it has read when the keyring fails only at the write", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.entries.set(await userOf(home), JSON.stringify(OLD));
  keyring.failsAt = (steps) => steps.some(({ op }) => op === "write");
  const { earlier } = await saveKey(await open(keyring, home, "auto"));
  assert.equal(earlier?.apiKey, "sk-old");
  assert.deepEqual((await home.authJson())["mine"], [1]);
});

test("auto reads the keyring first, then the file", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await home.writeAuth(OLD);
  const store = await open(keyring, home, "auto");
  assert.equal((await store.load())?.apiKey, "sk-old");
  assert.equal(store.kind, "file");
  keyring.entries.set(await userOf(home), JSON.stringify(OTHER));
  assert.equal((await store.load())?.apiKey, "sk-other");
  assert.equal(store.kind, "keyring");
  keyring.failure = "gone";
  const notes: string[] = [];
  assert.equal((await store.load((note) => void notes.push(note)))?.apiKey, "sk-old");
  assert.match(notes.join(), /keyring cannot be used \(gone\)/);
});

test("auto decides and writes under one lock: a save that waits meanwhile comes after it", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.entries.set(await userOf(home), JSON.stringify(OLD));
  const later = await openStore(await createKeyringWorld(keyring), {
    home: home.path,
    store: "file",
  });
  let saved: Promise<Replaced> | undefined;
  keyring.failsAt = (steps) => {
    if (!steps.some(({ op }) => op === "write")) return false;
    saved ??= later.update((current) => apiKeyDocument("sk-later", current?.document));
    return true;
  };
  const { earlier } = await saveKey(await open(keyring, home, "auto"));
  assert.equal(earlier?.apiKey, "sk-old");
  assert.equal((await saved)?.earlier?.apiKey, "sk-new");
  assert.equal((await home.authJson())["OPENAI_API_KEY"], "sk-later");
});

test("a file that does not count is replaced by its own login only", async () => {
  for (const store of ["keyring", "auto"] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    keyring.entries.set(await userOf(home), JSON.stringify(OLD));
    await home.writeAuth(OTHER);
    const { earlier } = await saveKey(await open(keyring, home, store));
    assert.equal(earlier?.apiKey, "sk-old");
    assert.deepEqual(await home.authJson(), OTHER);
  }
});

test("a sign-in into the keyring keeps a login that has a name", async () => {
  for (const store of ["keyring", "auto"] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    await home.writeAuth(OLD);
    const world = await createKeyringWorld(keyring);
    assert.equal(await runCli(["profile", "save", "work", "--codex-home", home.path], world), 0);
    const inKeyring = await open(keyring, home, store);
    await inKeyring.prove("sign-in");
    const { earlier, keptProfile } = await saveKey(inKeyring);
    assert.deepEqual([earlier, keptProfile], [undefined, "work"]);
    assert.deepEqual((await home.list()).sort(), [
      "auth.json.lock",
      "auth.lock",
      "auth.refresh.lock",
      "profiles",
    ]);
    assert.deepEqual(await readdir(join(home.path, "profiles")), ["work.json"]);
    assert.equal(await home.mode("profiles/work.json"), "600");
    assert.equal((await inKeyring.load())?.apiKey, "sk-new");
  }
});

test("a store that would keep nothing is refused by name", async () => {
  await using home = await createHome();
  const world = await createKeyringWorld(createFakeKeyring());
  await assert.rejects(openStore(world, { home: home.path, store: "ephemeral" }), {
    code: "STORE_UNSUPPORTED",
    exitCode: 3,
    message: /keeps nothing once this command ends/,
  });
});

test("a sign-in into the keyring leaves a file that another home may share", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  await mkdir(join(home.path, "shared"));
  await writeFile(join(home.path, "shared", "auth.json"), JSON.stringify(OLD), { mode: 0o600 });
  await symlink("shared/auth.json", home.authPath);
  const notes: string[] = [];
  await saveKey(await open(keyring, home), notes);
  assert.match(notes.join(), /auth\.json stays, and is ignored: auth\.json is a link/);
  assert.deepEqual(await home.authJson(), OLD);
  assert.ok(keyring.entries.has(await userOf(home)));
});

test("logout with auto fails when nobody can know whether somebody is signed in", async () => {
  for (const [isAbsent, exitCode] of [[false, 3], [true, 0]] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    keyring.failure = "locked";
    keyring.isAbsent = isAbsent;
    const world = await createKeyringWorld(keyring);
    const args = ["logout", "--codex-home", home.path, "-c", "cli_auth_credentials_store=auto"];
    assert.equal(await runCli(args, world), exitCode, world.words.join("\n"));
    assert.deepEqual(await home.list(), []);
  }
});

test("status and logout with every store, wherever the login is", async () => {
  for (const store of ["file", "keyring", "auto"] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    const world = await createKeyringWorld(keyring);
    const run = (command: string, ...args: string[]): Promise<number> =>
      runCli(
        [command, "--codex-home", home.path, "-c", `cli_auth_credentials_store=${store}`, ...args],
        world,
      );
    keyring.entries.set(await userOf(home), JSON.stringify(OTHER));
    await home.writeAuth(OLD);
    assert.equal(await run("status", "--json"), 0);
    const { store: place, path } = JSON.parse(world.data[0] ?? "");
    assert.deepEqual([place, path], store === "file" ? ["file", home.authPath] : ["keyring", null]);
    assert.equal(await run("logout"), 0);
    assert.equal(keyring.entries.size, 0);
    assert.ok(!(await home.list()).includes("auth.json"), store);
    assert.equal(await run("status"), 1);
  }
});

test("logout with a keyring that cannot be read: a failure only where the keyring was chosen", async () => {
  for (const [store, exitCode] of [["file", 0], ["keyring", 3], ["auto", 0]] as const) {
    for (const isAbsent of [false, true]) {
      await using home = await createHome();
      await home.writeAuth(OLD);
      const keyring = createFakeKeyring();
      keyring.failure = "hanging";
      keyring.isAbsent = isAbsent;
      const world = await createKeyringWorld(keyring);
      const args = ["logout", "--codex-home", home.path];
      assert.equal(
        await runCli([...args, "-c", `cli_auth_credentials_store=${store}`], world),
        exitCode,
      );
      assert.equal((await home.list()).includes("auth.json"), exitCode === 3);
      const words = world.words.join("\n");
      assert.equal(words.includes("hanging"), exitCode === 3 || !isAbsent, words);
    }
  }
});
