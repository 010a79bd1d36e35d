import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../../src/cli.ts";
import { writeTemporary } from "../../src/credentials/atomic_file.ts";
import { parseAuthFile } from "../../src/credentials/auth_file.ts";
import { identifyLogin } from "../../src/credentials/login_identity.ts";
import { openStore } from "../../src/credentials/open_store.ts";
import {
  type Exchange,
  exchangeLogins,
  exchangeSteps,
  inspectExchange,
} from "../../src/credentials/profile_exchange.ts";
import { type ProfileMarker, writeMarker } from "../../src/credentials/profile_folder.ts";
import type { CredentialStore } from "../../src/credentials/store.ts";
import { createHome, type TestHome } from "../testing/home.ts";
import { loginOf, loginsIn, secretOf } from "../testing/logins.ts";
import { assertReferenceReads } from "../testing/reference_rules.ts";
import { ADA, BOB, OLA, type User } from "../testing/users.ts";
import { createWorld } from "../testing/world.ts";

const { randomBytes } = await createWorld();

function markerOf(name: string, document: unknown): ProfileMarker {
  const credentials = parseAuthFile(JSON.stringify(document));
  assert.ok(credentials);
  return { name, ...identifyLogin(credentials) };
}

async function storeOf(home: TestHome): Promise<CredentialStore> {
  return openStore(await createWorld(), { home: home.path, store: "file" });
}

/** What `profile list` shows: the one in use with a star. It may not change anything. */
async function listed(home: TestHome): Promise<string> {
  const before = await files(home);
  const world = await createWorld();
  const args = ["profile", "list", "--json", "--codex-home", home.path];
  assert.equal(await runCli(args, world), 0, world.words.join("\n"));
  assert.deepEqual(await files(home), before);
  const { profiles } = JSON.parse(world.data[0] ?? "");
  return profiles.map((one: { name: string | null; active: boolean; error: string | null }) =>
    `${one.active ? "*" : ""}${one.name ?? "-"}${one.error ?? ""}`
  ).join(" ");
}

async function files(home: TestHome): Promise<string[]> {
  return ((await readdir(home.path, { recursive: true })) as string[]).filter((name) =>
    !name.endsWith(".lock")
  ).sort();
}

interface Scene {
  readonly exchange: Exchange;
  /** Secrets that must exist exactly once, whatever happens. */
  readonly kept: readonly string[];
  /** What the list shows before and after. */
  readonly before: string;
  readonly after: string;
}

const SCENES: [name: string, make: (home: TestHome) => Promise<Scene>][] = [
  ["one login for another", async (home) => {
    const [ada, bob] = [loginOf(ADA), loginOf(BOB)];
    const from = markerOf("ada", ada);
    await home.writeAuth(ada);
    await writeFile(join(home.path, "profiles/bob.json"), JSON.stringify(bob));
    await writeMarker(home.path, from, randomBytes);
    return {
      exchange: {
        from,
        to: markerOf("bob", bob),
        source: join(home.path, "profiles/bob.json"),
      },
      kept: [secretOf(JSON.stringify(ada)), secretOf(JSON.stringify(bob))],
      before: "*ada bob",
      after: "*bob ada",
    };
  }],
  ["a kept login where nobody is signed in", async (home) => {
    const bob = loginOf(BOB);
    await writeFile(join(home.path, "profiles/bob.json"), JSON.stringify(bob));
    return {
      exchange: {
        from: undefined,
        to: markerOf("bob", bob),
        source: join(home.path, "profiles/bob.json"),
      },
      kept: [secretOf(JSON.stringify(bob))],
      before: "bob",
      after: "*bob",
    };
  }],
  ["a new login for one that has a name", async (home) => {
    const [ada, bob] = [loginOf(ADA), loginOf(BOB)];
    const from = markerOf("ada", ada);
    await home.writeAuth(ada);
    await writeMarker(home.path, from, randomBytes);
    const source = await writeTemporary(home.authPath, JSON.stringify(bob), randomBytes);
    return {
      exchange: { from, to: undefined, source },
      kept: [secretOf(JSON.stringify(ada))],
      before: "*ada",
      after: "*- ada",
    };
  }],
];

async function createScene(
  home: TestHome,
  make: (home: TestHome) => Promise<Scene>,
): Promise<Scene> {
  await mkdir(join(home.path, "profiles"), { mode: 0o700 });
  return await make(home);
}

for (const [name, make] of SCENES) {
  test(`death after every step of: ${name}`, async () => {
    let died = 0;
    for (let isOver = false; !isOver; died++) {
      await using home = await createHome();
      const { exchange, kept, before, after } = await createScene(home, make);
      const steps = exchangeSteps(randomBytes, home.path, home.authPath, exchange);
      for (const step of steps.slice(0, died)) await step();
      isOver = died === steps.length;

      // Who only reads sees one or the other already, and changes nothing.
      const seen = await listed(home);
      assert.ok([before, after].includes(seen), `after ${died} steps: ${seen}`);
      const store = await storeOf(home);
      const loaded = await store.load();
      assert.equal(loaded !== undefined, seen.includes("*"));

      // Who writes puts it in order first, and shows the same.
      await store.prove("sign-in");
      assert.equal(await listed(home), seen, `after ${died} steps`);
      assert.equal(seen, died > (exchange.from ? 2 : 1) ? after : before);
      assert.equal(await inspectExchange(home.path), undefined);
      const secrets = Object.values(await loginsIn(home));
      for (const secret of kept) assert.ok(secrets.includes(secret), `after ${died} steps`);
      if (loaded) {
        assertReferenceReads(await home.readAuth());
        assert.equal(secretOf(await home.readAuth()), secretOf(JSON.stringify(loaded.document)));
      }
      await store.prove("sign-in");
      assert.equal(await listed(home), seen);
      assert.ok(!(await readdir(join(home.path, "profiles"))).some((one) => one.startsWith(".")));
    }
    assert.ok(died >= 4);
  });
}

test("a recovery that dies is done again by the next one", async () => {
  await using home = await createHome();
  const { exchange } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
  const [begin, away] = exchangeSteps(randomBytes, home.path, home.authPath, exchange);
  await begin?.();
  await away?.();
  const intent = join(home.path, "profiles/.exchange.json");
  const text = await readFile(intent);
  const store = await storeOf(home);
  await store.prove("sign-in");
  // As if the process had died before it could remove the intent.
  await writeFile(intent, text);
  assert.equal(await listed(home), "*ada bob");
  await store.prove("sign-in");
  assert.equal(await listed(home), "*ada bob");
});

test("a login that another program saved in the gap is nobody's to replace", async () => {
  await using home = await createHome();
  const { exchange, kept } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
  const steps = exchangeSteps(randomBytes, home.path, home.authPath, exchange);
  for (const step of steps.slice(0, 2)) await step();
  const ola = loginOf(OLA);
  await home.writeAuth(ola);
  assert.equal(await listed(home), "*- ada bob");
  await (await storeOf(home)).prove("sign-in");
  assert.equal(await listed(home), "*- ada bob");
  assert.deepEqual(
    Object.values(await loginsIn(home)).sort(),
    [...kept, secretOf(JSON.stringify(ola))].sort(),
  );
});

test("commands after a death see a login, each of them", async () => {
  const commands: [args: string[], exitCode: number, after: string][] = [
    [["status"], 0, "*ada bob"],
    [["profile", "save", "eve"], 0, "*eve bob"],
    [["profile", "use", "bob"], 0, "*bob ada"],
    [["profile", "use", "ada"], 0, "*ada bob"],
    [["profile", "remove", "ada"], 2, "*ada bob"],
    [["profile", "remove", "bob", "--local-only"], 0, "*ada"],
    [["logout", "--local-only"], 0, "bob"],
  ];
  for (const [args, exitCode, after] of commands) {
    await using home = await createHome();
    const { exchange } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
    const steps = exchangeSteps(randomBytes, home.path, home.authPath, exchange);
    for (const step of steps.slice(0, 2)) await step();
    const world = await createWorld();
    assert.equal(
      await runCli([...args, "--codex-home", home.path], world),
      exitCode,
      world.words.join("\n"),
    );
    assert.equal(await listed(home), after, args.join(" "));
  }
});

async function signIn(store: CredentialStore, user: User): Promise<unknown> {
  return await store.update(() => loginOf(user));
}

test("a login after a death replaces what it would have replaced before", async () => {
  await using home = await createHome();
  const { exchange, kept } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
  const steps = exchangeSteps(randomBytes, home.path, home.authPath, exchange);
  for (const step of steps.slice(0, 2)) await step();
  await signIn(await storeOf(home), OLA);
  assert.equal(await listed(home), "*- ada bob");
  const secrets = Object.values(await loginsIn(home));
  assert.ok(kept.every((secret) => secrets.includes(secret)));
});

test("an exchange that the disk refuses changes nothing, and leaves no intent", async () => {
  for (const [name, make] of SCENES) {
    await using home = await createHome();
    const { exchange, before } = await createScene(home, make);
    // A rename onto a folder is refused even to root: once for what goes, once for what comes.
    const obstacle = exchange.from
      ? join(home.path, "profiles", `${exchange.from.name}.json`)
      : home.authPath;
    await mkdir(join(obstacle, "full"), { recursive: true });
    await assert.rejects(
      exchangeLogins(randomBytes, home.path, home.authPath, exchange),
      { name: "LoginError" },
      name,
    );
    await rm(obstacle, { recursive: true });
    await (await storeOf(home)).prove("sign-in");
    assert.equal(await listed(home), before, name);
    assert.ok(!(await readdir(join(home.path, "profiles"))).some((one) => one.startsWith(".")));
  }
});

test("a chosen login that vanishes in the middle leaves the former one in use", async () => {
  await using home = await createHome();
  const { exchange } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
  const source = join(home.path, "profiles/none.json");
  await assert.rejects(
    exchangeLogins(randomBytes, home.path, home.authPath, { ...exchange, source }),
    { code: "SAVE_FAILED" },
  );
  assert.equal(await listed(home), "*ada bob");
});

test("modes are made private before anything moves", async () => {
  await using home = await createHome();
  const { exchange } = await createScene(home, SCENES[0]?.[1] ?? assert.fail());
  await chmod(home.authPath, 0o644);
  await chmod(exchange.source, 0o644);
  await exchangeLogins(randomBytes, home.path, home.authPath, exchange);
  assert.equal(await home.mode("auth.json"), "600");
  assert.equal(await home.mode("profiles/ada.json"), "600");
});
