import assert from "node:assert/strict";
import { mkdir, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { apiKeyDocument } from "../../src/credentials/auth_document.ts";
import { openStore } from "../../src/credentials/open_store.ts";
import { prepareStore } from "../../src/credentials/prepare_store.ts";
import { migrateStore } from "../../src/credentials/migrate_store.ts";
import { markEntryOlder } from "../../src/credentials/older_entry.ts";
import { createHome, type TestHome } from "../testing/home.ts";
import {
  createFakeKeyring,
  createKeyringWorld,
  type FakeKeyring,
  userOf,
} from "../testing/keyring.ts";

const KEY = { auth_mode: "apikey", OPENAI_API_KEY: "sk-one", mine: [1] };
const OTHER = { auth_mode: "apikey", OPENAI_API_KEY: "sk-other" };

async function migrate(
  home: TestHome,
  keyring: FakeKeyring,
  store: "file" | "keyring" | "auto",
): Promise<string> {
  const notes: string[] = [];
  const world = await createKeyringWorld(keyring);
  await migrateStore(world, { home: home.path, store }, (note) => void notes.push(note));
  return notes.join("\n");
}

const hasFile = async (home: TestHome): Promise<boolean> =>
  (await home.list()).includes("auth.json");

test("migrateStore() moves a login into the keyring, and back, and is done when there is nothing to do", async () => {
  for (const store of ["keyring", "auto"] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    for (const nothing of ["file", "keyring", "auto"] as const) {
      assert.equal(await migrate(home, keyring, nothing), "");
    }
    assert.deepEqual(await home.list(), []);
    await home.writeAuth(KEY);
    assert.match(await migrate(home, keyring, store), /moved from .*auth\.json into the keyring/);
    assert.deepEqual([...keyring.entries], [[await userOf(home), JSON.stringify(KEY)]]);
    assert.ok(!await hasFile(home));
    assert.equal(await migrate(home, keyring, store), "");
    assert.match(await migrate(home, keyring, "file"), /moved from the keyring to .*auth\.json/);
    assert.deepEqual(await home.authJson(), KEY);
    assert.equal(await home.mode("auth.json"), "600");
    assert.equal(keyring.entries.size, 0);
    const { length } = keyring.calls;
    assert.equal(await migrate(home, keyring, "file"), "");
    assert.equal(keyring.calls.length, length, "with a file the keyring is not looked into");
  }
});

test("migrateStore() leaves two different logins, and damaged ones, as they are", async () => {
  for (const [inFile, inKeyring] of [[KEY, OTHER], ["{damaged", undefined]] as const) {
    for (const store of ["file", "keyring", "auto"] as const) {
      await using home = await createHome();
      const keyring = createFakeKeyring();
      await home.writeAuth(inFile);
      const before = await home.readAuth();
      if (inKeyring) keyring.entries.set(await userOf(home), JSON.stringify(inKeyring));
      const entries = [...keyring.entries];
      assert.equal(await migrate(home, keyring, store), "");
      assert.equal(await home.readAuth(), before);
      assert.deepEqual([...keyring.entries], entries);
    }
  }
});

test("migrateStore() ended after any step has left a copy, and finishes the next time", async () => {
  for (const [from, to] of [["file", "keyring"], ["keyring", "file"]] as const) {
    for (let failing = 1; failing <= 6; failing++) {
      await using home = await createHome();
      const keyring = createFakeKeyring();
      const user = await userOf(home);
      if (from === "file") await home.writeAuth(KEY);
      else keyring.entries.set(user, JSON.stringify(KEY));
      keyring.failsAt = () => keyring.calls.length >= failing;
      await migrate(home, keyring, to).catch((thrown) => {
        assert.equal(thrown.code, "KEYRING_UNAVAILABLE");
      });
      assert.ok(await hasFile(home) || keyring.entries.has(user), `${from} ${failing}`);
      keyring.failsAt = () => false;
      await migrate(home, keyring, to);
      const inFile = await hasFile(home);
      assert.ok(to === "file" ? inFile : keyring.entries.has(user), `${from} ${failing}`);
      assert.ok(inFile !== keyring.entries.has(user), `only one: ${from} ${failing}`);
      assert.ok(!(await home.list()).includes("auth.keyring-is-older"), `${from} ${failing}`);
    }
  }
});

test("migrateStore() with a keyring that cannot be used: a failure only where it was chosen", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  keyring.failure = "locked";
  assert.match(await migrate(home, keyring, "file"), /could not be looked into \(locked\)/);
  await home.writeAuth(KEY);
  await assert.rejects(migrate(home, keyring, "keyring"), { code: "KEYRING_UNAVAILABLE" });
  assert.equal(await migrate(home, keyring, "auto"), "");
  assert.deepEqual(await home.authJson(), KEY);
  assert.equal(keyring.entries.size, 0);
});

test("migrateStore() leaves a file that another home may share", async () => {
  for (const store of ["keyring", "auto"] as const) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    const shared = join(home.path, "shared");
    await home.writeAuth(KEY);
    await mkdir(shared);
    await rename(home.authPath, join(shared, "auth.json"));
    await symlink("shared/auth.json", home.authPath);
    const notes = await migrate(home, keyring, store);
    assert.equal(
      /cannot be moved into the keyring: auth\.json is a link/.test(notes),
      store === "keyring",
    );
    assert.deepEqual(await home.authJson(), KEY);
    assert.equal(keyring.entries.size, 0);
  }
});

test("migrateStore() does not touch an older entry that is another account's", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  const user = await userOf(home);
  keyring.entries.set(user, JSON.stringify(OTHER));
  await home.writeAuth(KEY);
  await markEntryOlder(home.path);
  await migrate(home, keyring, "file");
  assert.ok(keyring.entries.has(user));
  assert.ok((await home.list()).includes("auth.keyring-is-older"));
  // What the person asked for last counts, and is moved.
  assert.match(await migrate(home, keyring, "keyring"), /moved from .*auth\.json into the keyring/);
  assert.deepEqual(JSON.parse(keyring.entries.get(user) ?? ""), KEY);
  assert.ok(!await hasFile(home));
});

test("a sign-in into the file finds what an earlier setting left in the keyring", async () => {
  for (const failure of [undefined, "gone"]) {
    await using home = await createHome();
    const keyring = createFakeKeyring();
    keyring.entries.set(await userOf(home), JSON.stringify(KEY));
    keyring.failsAt = (steps) => failure !== undefined && steps.some(({ op }) => op === "remove");
    const world = await createKeyringWorld(keyring);
    const notes: string[] = [];
    const config = { home: home.path, store: "file" } as const;
    const store = await prepareStore(world, config, (note) => void notes.push(note));
    const { earlier } = await store.update((current) =>
      apiKeyDocument("sk-new", current?.document)
    );
    assert.equal(earlier?.apiKey, "sk-one");
    assert.equal(keyring.entries.size, failure ? 1 : 0);
    assert.equal(
      notes.some((note) => note.includes("an older copy is left")),
      failure !== undefined,
    );
    // A copy that is left does not come back.
    const later = await (await openStore(world, { home: home.path, store: "auto" })).load();
    assert.equal(later?.apiKey, "sk-new");
  }
});
