import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sleep } from "../../src/system_world.ts";
import { apiKeyDocument } from "../../src/credentials/auth_document.ts";
import { resolveAuthPath } from "../../src/credentials/auth_path.ts";
import { createFileStore } from "../../src/credentials/file_store.ts";
import type { CredentialStore } from "../../src/credentials/store.ts";
import { createHome } from "../testing/home.ts";
import { createWorld } from "../testing/world.ts";
import { verifies } from "../testing/verifies.ts";

const OLD = '{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-old"\n}';

async function storeAt(home: string): Promise<ReturnType<typeof createFileStore>> {
  return createFileStore(await createWorld({ sleep: (_, signal) => sleep(1, signal) }), home);
}

function saveKey(store: CredentialStore, key = "sk-new"): ReturnType<CredentialStore["update"]> {
  return store.update((current) => apiKeyDocument(key, current?.document));
}

test("a relative link in a linked home is followed from the real folder, as the system does", async () => {
  await using home = await createHome();
  const real = join(home.path, "deep", "real");
  await mkdir(real, { recursive: true });
  await mkdir(join(home.path, "deep", "shared"));
  await symlink(real, join(home.path, "link"));
  await symlink("../shared/auth.json", join(real, "auth.json"));
  const shared = join(home.path, "deep", "shared", "auth.json");
  await writeFile(shared, "{}", { mode: 0o600 });
  const { target } = await resolveAuthPath(join(home.path, "link"));
  assert.equal(await realpath(target), await realpath(shared));
});

verifies(
  ["S43", "S44"],
  "a first save makes the folder (0700), parents too, and a file of 0600 whatever the umask",
  async () => {
    await using home = await createHome();
    const before = process.umask(0);
    try {
      const path = join(home.path, "deep", "codex");
      const store = await storeAt(path);
      await store.prove("sign-in");
      await saveKey(store);
      assert.equal((await stat(join(home.path, "deep"))).mode & 0o777, 0o700);
      for (const name of ["auth.json", "auth.json.lock", "auth.lock"]) {
        assert.equal((await stat(join(path, name))).mode & 0o777, 0o600, name);
      }
      assert.deepEqual((await readdir(path)).sort(), ["auth.json", "auth.json.lock", "auth.lock"]);
    } finally {
      process.umask(before);
    }
  },
);

test("reading makes nothing: a missing home is an empty one", async () => {
  await using home = await createHome();
  const path = join(home.path, "none");
  assert.equal(await (await storeAt(path)).load(), undefined);
  await assert.rejects(stat(path), { code: "ENOENT" });
  assert.equal(await (await storeAt(join(home.authPath, "below-a-file"))).load(), undefined);
});

verifies("S44", "a save tightens a loose file, and tells what it replaced", async () => {
  await using home = await createHome();
  await writeFile(home.authPath, OLD);
  await chmod(home.authPath, 0o644);
  const { earlier, keptAside } = await saveKey(await storeAt(home.path));
  assert.equal(earlier?.apiKey, "sk-old");
  assert.equal(keptAside, undefined);
  assert.equal(await home.mode("auth.json"), "600");
});

test("prove() leaves nothing but the folder and the locks", async () => {
  await using home = await createHome();
  await (await storeAt(home.path)).prove("sign-in");
  assert.deepEqual((await home.list()).sort(), ["auth.json.lock", "auth.lock"]);
});

verifies(
  "S49",
  "a link of ours to a file of ours is followed, and stays; removing takes both",
  async () => {
    await using home = await createHome();
    const target = join(home.path, "elsewhere", "real.json");
    await mkdir(join(home.path, "elsewhere"));
    await writeFile(target, OLD, { mode: 0o600 });
    await symlink("middle", home.authPath);
    await symlink("elsewhere/real.json", join(home.path, "middle"));
    const store = await storeAt(home.path);
    await saveKey(store);
    assert.ok((await lstat(home.authPath)).isSymbolicLink());
    assert.match(await readFile(target, "utf8"), /sk-new/);
    assert.ok((await readdir(join(home.path, "elsewhere"))).includes("real.json.lock"));

    assert.equal(await store.remove(() => true), true);
    for (const path of [home.authPath, target, join(home.path, "middle")]) {
      await assert.rejects(lstat(path), { code: "ENOENT" });
    }
  },
);

test("a link to nothing gets its file, with the folder", async () => {
  await using home = await createHome();
  await symlink("gone/real.json", home.authPath);
  await saveKey(await storeAt(home.path));
  assert.equal(await readlink(home.authPath), "gone/real.json");
  assert.match(await readFile(join(home.path, "gone", "real.json"), "utf8"), /sk-new/);
});

verifies(
  ["S49", "S55"],
  "a hard link, a folder, a FIFO and a circle of links are refused, and nothing is written",
  async () => {
    const rows: [string, (path: string, home: string) => Promise<unknown>][] = [
      ["hard link", async (path, home) => {
        await writeFile(join(home, "other"), OLD);
        await link(join(home, "other"), path);
      }],
      ["folder", (path) => mkdir(path)],
      ["FIFO", (path) => Promise.resolve(execFileSync("mkfifo", [path]))],
      ["circle", (path) => symlink("auth.json", path)],
    ];
    for (const [what, make] of rows) {
      await using home = await createHome();
      await make(home.authPath, home.path);
      const store = await storeAt(home.path);
      await assert.rejects(store.prove("sign-in"), { code: "SAVE_FAILED", exitCode: 3 }, what);
      await assert.rejects(saveKey(store), { code: "SAVE_FAILED" }, what);
      if (what === "hard link") assert.equal(await home.readAuth(), OLD);
      assert.ok(!(await home.list()).some((name) => name.endsWith(".tmp")), what);
    }
  },
);

verifies(
  "S55",
  "a FIFO, a folder and a device in the place of auth.json are not waited for",
  async () => {
    const rows: ((path: string) => Promise<unknown>)[] = [
      (path) => mkdir(path),
      (path) => Promise.resolve(execFileSync("mkfifo", [path])),
      (path) => symlink("/dev/zero", path),
    ];
    for (const make of rows) {
      await using home = await createHome();
      await make(home.authPath);
      await assert.rejects((await storeAt(home.path)).load(), {
        code: "CREDENTIALS_UNREADABLE",
        exitCode: 3,
      });
    }
  },
);

verifies("S55", "a file larger than 1 MiB is refused before it is read", async () => {
  await using home = await createHome();
  await home.writeAuth(`{"OPENAI_API_KEY":"${"x".repeat(2 << 20)}"}`);
  await assert.rejects((await storeAt(home.path)).load(), { code: "CREDENTIALS_CORRUPT" });
});

verifies(
  "S55",
  "a giant in the place of auth.json asks for no space of its size, and goes aside as it is",
  async () => {
    await using home = await createHome();
    await home.writeAuth(OLD);
    await truncate(home.authPath, 20_000_000_000);
    const store = await storeAt(home.path);
    await store.prove("sign-in");
    const { keptAside = "" } = await saveKey(store);
    assert.equal((await stat(keptAside)).size, 20_000_000_000);
    assert.equal((await store.load())?.apiKey, "sk-new");
  },
);

verifies("S51", "a damaged file is kept aside, 0600 and whole, before it is replaced", async () => {
  await using home = await createHome();
  const damaged = '{"OPENAI_API_KEY": "sk-o';
  await writeFile(home.authPath, damaged);
  await chmod(home.authPath, 0o644);
  const store = await storeAt(home.path);
  await assert.rejects(store.load(), { code: "CREDENTIALS_CORRUPT" });
  const { keptAside = "" } = await saveKey(store);
  assert.match(keptAside, /auth\.json\.corrupt-\d{8}T\d{9}Z$/);
  assert.equal(await readFile(keptAside, "utf8"), damaged);
  assert.equal((await stat(keptAside)).mode & 0o777, 0o600);
  assert.equal((await store.load())?.apiKey, "sk-new");
});

test("what a killed save left is cleared away by the next one", async () => {
  await using home = await createHome();
  const halves = [".auth.json.codex-login-abc.tmp", ".auth.json.pending.codex-login-abc.tmp"];
  for (const half of halves) await writeFile(join(home.path, half), "half");
  await writeFile(join(home.path, ".auth-ABCDEF"), "of the reference");
  await saveKey(await storeAt(home.path));
  const names = await home.list();
  assert.deepEqual(names.filter((name) => halves.includes(name)), []);
  assert.ok(names.includes(".auth-ABCDEF"));
});

test("a change that gives nothing writes nothing; a removal that does not expect what is there removes nothing", async () => {
  await using home = await createHome();
  await home.writeAuth(OLD);
  const store = await storeAt(home.path);
  await store.update(() => undefined);
  assert.equal(await store.remove(() => false), false);
  assert.equal(await home.readAuth(), OLD);
});

test("a file cut short while it was written in place is made good by the copy beside it", async () => {
  await using home = await createHome();
  const pending = `${home.authPath}.pending`;
  await writeFile(pending, OLD, { mode: 0o600 });
  for (const cut of ["", OLD.slice(0, 20)]) {
    await home.writeAuth(cut);
    assert.equal((await (await storeAt(home.path)).load())?.apiKey, "sk-old");
  }
  await home.writeAuth(OLD.replace("sk-old", "sk-whole"));
  const store = await storeAt(home.path);
  assert.equal((await store.load())?.apiKey, "sk-whole");
  await store.remove(() => true);
  await assert.rejects(stat(pending), { code: "ENOENT" });
});

test("a save that is done is not called a failure because an old copy cannot be removed", async () => {
  await using home = await createHome();
  await home.writeAuth(OLD);
  await mkdir(`${home.authPath}.pending`);
  const store = await storeAt(home.path);
  await saveKey(store);
  assert.equal((await store.load())?.apiKey, "sk-new");
});

test("a file that was cut short behind a link is made good too", async () => {
  await using home = await createHome();
  await mkdir(join(home.path, "real"));
  await writeFile(join(home.path, "real", "auth.json"), "");
  await writeFile(join(home.path, "real", "auth.json.pending"), OLD, { mode: 0o600 });
  await symlink("real/auth.json", home.authPath);
  assert.equal((await (await storeAt(home.path)).load())?.apiKey, "sk-old");
});

verifies(
  "S49",
  "what is refused for writing is refused for reading: hard links and files of others",
  async () => {
    await using home = await createHome();
    await writeFile(join(home.path, "other"), OLD);
    await link(join(home.path, "other"), home.authPath);
    await assert.rejects((await storeAt(home.path)).load(), {
      code: "CREDENTIALS_UNREADABLE",
      exitCode: 3,
    });
    if (process.getuid?.() !== 0) return;
    await using foreign = await createHome();
    await foreign.writeAuth(OLD);
    await chown(foreign.authPath, 65_534, 65_534);
    const store = await storeAt(foreign.path);
    await assert.rejects(store.load(), {
      code: "CREDENTIALS_UNREADABLE",
      reason: "it belongs to user 65534",
    });
    await assert.rejects(saveKey(store), { code: "SAVE_FAILED" });
  },
);
