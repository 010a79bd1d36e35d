import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { runCli } from "../src/cli.ts";
import { apiKeyDocument } from "../src/credentials/auth_document.ts";
import { openStore } from "../src/credentials/open_store.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startLogin } from "./testing/login_run.ts";
import { loginOf, loginsIn, secretOf } from "./testing/logins.ts";
import { ADA, BOB, OLA, type User } from "./testing/users.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

interface Ran {
  readonly exitCode: number;
  readonly words: string;
  readonly json: Record<string, unknown>;
}

async function run(
  home: TestHome,
  args: readonly string[],
  changes: Partial<TestWorld> = {},
): Promise<Ran> {
  const world = await createWorld(changes);
  const exitCode = await runCli([...args, "--codex-home", home.path], world);
  return { exitCode, words: world.words.join("\n"), json: JSON.parse(world.data[0] ?? "{}") };
}

function profile(home: TestHome, ...args: string[]): Promise<Ran> {
  return run(home, ["profile", ...args]);
}

interface Listed {
  readonly name: string | null;
  readonly active: boolean;
  readonly authMode: string | null;
  readonly account: Record<string, unknown> | null;
  readonly error: string | null;
}

async function list(home: TestHome): Promise<Listed[]> {
  const { exitCode, json, words } = await profile(home, "list", "--json");
  assert.equal(exitCode, 0, words);
  return json["profiles"] as Listed[];
}

/** Names, the one in use with a star: `*work home`. */
async function names(home: TestHome): Promise<string> {
  return (await list(home)).map(({ name, active, error }) =>
    `${active ? "*" : ""}${name ?? "-"}${error ? `!${error}` : ""}`
  ).join(" ");
}

/** A sign-in as the store sees it. */
async function signIn(home: TestHome, document: Record<string, unknown>): Promise<string> {
  const store = await openStore(await createWorld(), { home: home.path, store: "file" });
  await store.prove("sign-in");
  await store.update((current) => ({
    ...document,
    ...(current?.document["mine"] ? { mine: current.document["mine"] } : {}),
  }));
  return secretOf(JSON.stringify(document));
}

/** Ada in use as "ada", Bob kept as "bob". */
async function createTwo(home: TestHome): Promise<{ ada: string; bob: string }> {
  const bob = await signIn(home, loginOf(BOB));
  assert.equal((await profile(home, "save", "bob")).exitCode, 0);
  const ada = await signIn(home, loginOf(ADA));
  assert.equal((await profile(home, "save", "ada")).exitCode, 0);
  return { ada, bob };
}

/** Everything in the home but lock files, to see that nothing was changed. */
function snapshot(home: TestHome): string {
  return execFileSync("sh", [
    "-c",
    'cd "$0" && find . ! -name "*.lock" -type f -exec sha256sum {} + | sort; find . -type f ! -name "*.lock" -printf "%p %m\n" | sort',
    home.path,
  ], { encoding: "utf8" });
}

async function assertRefused(
  home: TestHome,
  args: string[],
  code: string,
  exitCode: number,
): Promise<string> {
  const before = snapshot(home);
  const { exitCode: actual, words } = await profile(home, ...args);
  assert.equal(actual, exitCode, `${args}: ${words}`);
  assert.match(words, new RegExp(`^error\\[${code}\\]: .+\n[^]*  try:   .+`), args.join(" "));
  assert.equal(snapshot(home), before);
  assert.ok(!/rt_|sk-/.test(words));
  return words;
}

verifies("S44", "two accounts: saved, used and removed, with every file 0600", async () => {
  await using home = await createHome();
  const { ada, bob } = await createTwo(home);
  assert.deepEqual(await loginsIn(home), { "auth.json": ada, "profiles/bob.json": bob });
  assert.deepEqual(await list(home), [
    {
      name: "ada",
      active: true,
      authMode: "chatgpt",
      account: {
        email: "ada@example.com",
        plan: "plus",
        accountId: "acct-1111",
        userId: "user-ada",
      },
      error: null,
    },
    {
      name: "bob",
      active: false,
      authMode: "chatgpt",
      account: {
        email: "bob@example.com",
        plan: "team",
        accountId: "acct-2222",
        userId: "user-bob",
      },
      error: null,
    },
  ]);
  const used = await profile(home, "use", "bob");
  assert.equal(used.exitCode, 0);
  assert.match(
    used.words,
    /^Now in use: "bob", bob@example\.com.*\nThe login before is kept as "ada"\.$/,
  );
  assert.deepEqual(await loginsIn(home), { "auth.json": bob, "profiles/ada.json": ada });
  assert.deepEqual(JSON.parse(await readFile(join(home.path, "profiles/active.json"), "utf8")), {
    name: "bob",
    accountId: "acct-2222",
    userId: "user-bob",
  });
  assert.deepEqual((await profile(home, "use", "ada", "--json")).json, {
    name: "ada",
    former: "bob",
    changed: true,
    account: { email: "ada@example.com", plan: "plus", accountId: "acct-1111", userId: "user-ada" },
  });
  assert.match((await profile(home, "use", "ada")).words, /^"ada" is already in use/);
  assert.equal((await stat(join(home.path, "profiles"))).mode & 0o777, 0o700);
  for (const name of await readdir(join(home.path, "profiles"))) {
    assert.equal(await home.mode(`profiles/${name}`), "600", name);
  }
  assert.deepEqual((await readdir(join(home.path, "profiles"))).sort(), [
    "active.json",
    "bob.json",
  ]);

  const text = (await profile(home, "list")).words;
  assert.match(text, /^\* ada {2}ada@example\.com \(plan plus.+\n {2}bob {2}bob@example\.com/);
  assert.ok(!text.includes("rt_"));
  assert.match(
    (await profile(home, "remove", "bob", "--local-only")).words,
    /was removed[^]*not asked/,
  );
  assert.equal(await names(home), "*ada");
});

test("list says what each login is, also when asked to be quiet, but then no more", async () => {
  await using home = await createHome();
  assert.equal(
    (await profile(home, "list", "--quiet")).words,
    "There are no profiles, and nobody is signed in.",
  );
  const token = "at-0123456789012345678901234567890123456701234567";
  const rows: [content: Record<string, unknown>, says: string][] = [
    [{ personal_access_token: token }, "personal access token at-01234***4567"],
    [{ personal_access_token: "at-1" }, "personal access token ***"],
    [{ auth_mode: "agentIdentity", agent_identity: "x.y.z" }, "an agent identity"],
    [{ bedrock_api_key: { api_key: "k" } }, "an API key of Amazon Bedrock"],
    [
      { ...loginOf(ADA), auth_mode: "chatgptAuthTokens" },
      "ada@example.com (plan plus, workspace Analytical Engines), by ChatGPT tokens that another program gave",
    ],
  ];
  for (const [content, says] of rows) {
    await home.writeAuth(content);
    assert.equal((await profile(home, "list", "--quiet")).words, `* (no name)  ${says}`);
    const { words } = await profile(home, "list");
    assert.ok(words.endsWith("\nTo name the login in use: codex-login profile save NAME"), words);
    assert.ok(!words.includes(token));
  }
});

test("a moved login keeps its bytes, and loses a mode that others could read", async () => {
  await using home = await createHome();
  await createTwo(home);
  const text = `${JSON.stringify({ ...loginOf(ADA), other: [1.0, { deep: "member" }] })}\n`;
  await writeFile(home.authPath, text);
  await chmod(home.authPath, 0o644);
  await profile(home, "use", "bob");
  assert.equal(await readFile(join(home.path, "profiles/ada.json"), "utf8"), text);
  assert.equal(await home.mode("profiles/ada.json"), "600");
  await profile(home, "use", "ada");
  assert.equal(await home.readAuth(), text);
});

test("save names without copying, renames, and refuses the name of another login", async () => {
  await using home = await createHome();
  const { ada, bob } = await createTwo(home);
  assert.deepEqual((await profile(home, "save", "work", "--json")).json, {
    name: "work",
    account: { email: "ada@example.com", plan: "plus", accountId: "acct-1111", userId: "user-ada" },
  });
  assert.equal(await names(home), "*work bob");
  for (const name of ["bob", "Bob", "BOB"]) {
    await assertRefused(home, ["save", name], "PROFILE_CONFLICT", 2);
  }
  assert.equal((await profile(home, "save", "Work")).exitCode, 0);
  await profile(home, "use", "bob");
  assert.deepEqual(await loginsIn(home), { "auth.json": bob, "profiles/Work.json": ada });
});

test("a name that could be a path, an option or another file is refused, and nothing is made", async () => {
  await using home = await createHome();
  for (
    const name of [
      "active",
      "Active",
      "../auth",
      "a/b",
      "a\\b",
      ".hidden",
      "..",
      ".",
      "-",
      "a b",
      "ä",
      "a\u0000b",
      "a\n",
      "x".repeat(65),
      "$HOME",
      "con:",
    ]
  ) {
    for (const action of ["use", "save", "remove"]) {
      const { exitCode, words } = await profile(home, action, name);
      assert.equal(exitCode, 2, name);
      assert.match(words, /^error\[USAGE\]/);
    }
  }
  for (
    const args of [[], ["use"], ["use", ""], ["list", "x"], ["use", "a", "b"], ["bogus"], [
      "save",
      "-x",
    ]]
  ) {
    assert.match((await profile(home, ...args)).words, /^error\[USAGE\]/, args.join(" "));
  }
  assert.match(
    (await profile(home, "list", "--local-only")).words,
    /does not belong to "profile list"/,
  );
  assert.deepEqual(await home.list(), []);
  await home.writeAuth(loginOf(ADA));
  for (const name of ["a", "x".repeat(64), "ada@example.com", "a.json", "_", "0-0"]) {
    assert.equal((await profile(home, "save", name)).exitCode, 0, name);
  }
});

test("with nobody signed in: list is empty, nothing is found, and nothing is made", async () => {
  await using home = await createHome();
  assert.deepEqual(await list(home), []);
  assert.match((await profile(home, "list")).words, /There are no profiles/);
  await assertRefused(home, ["use", "x"], "PROFILE_NOT_FOUND", 2);
  await assertRefused(home, ["remove", "x"], "PROFILE_NOT_FOUND", 2);
  await assertRefused(home, ["save", "x"], "NOT_SIGNED_IN", 4);
  assert.deepEqual(await home.list(), []);
  const failed = await profile(home, "use", "x", "--json");
  assert.equal((failed.json["error"] as { code: string }).code, "PROFILE_NOT_FOUND");
  assert.equal(failed.json["event"], undefined);
});

test("a login in use without a name is not given up: use refuses until it is saved", async () => {
  await using home = await createHome();
  const { bob } = await createTwo(home);
  await home.writeAuth(loginOf(OLA));
  assert.equal(await names(home), "*- bob");
  assert.match((await profile(home, "list")).words, /\(no name\)[^]*profile save NAME/);
  const words = await assertRefused(home, ["use", "bob"], "PROFILE_CONFLICT", 2);
  assert.match(words, /profile save NAME/);
  await profile(home, "save", "ola");
  assert.equal((await profile(home, "use", "bob")).exitCode, 0);
  assert.equal(secretOf(await home.readAuth()), bob);
  assert.equal(await names(home), "*bob ola");
});

test("a new login keeps the one that has a name, and replaces the same person's", async () => {
  await using issuer = await startIssuer({ users: [ADA] });
  await using home = await createHome();
  const old = await signIn(home, loginOf(BOB, issuer.url));
  await profile(home, "save", "bob");
  const first = await startLogin(home, issuer);
  await visit(await first.authUrl);
  assert.equal(await first.exitCode, 0);
  assert.match(
    first.world.words.join("\n"),
    /The login "bob" is kept: codex-login profile use bob/,
  );
  assert.equal((await loginsIn(home))["profiles/bob.json"], old);
  assert.equal(await names(home), "*- bob");
  assert.equal(issuer.asked("revoke").length, 0);

  await profile(home, "save", "ada");
  const second = await startLogin(home, issuer);
  await visit(await second.authUrl);
  assert.equal(await second.exitCode, 0);
  assert.equal(await names(home), "*ada bob");
  assertNoSecrets(await readFile(join(home.path, "profiles/active.json"), "utf8"), issuer);
});

test("API keys are told apart by a fingerprint that does not hold them", async () => {
  await using home = await createHome();
  const key = (value: string): Promise<Ran> =>
    run(home, ["login", "--with-api-key"], {
      stdin: { read: () => Promise.resolve(Buffer.from(value)) },
    });
  await key("sk-first-0123456789abcdef");
  await profile(home, "save", "first");
  await key("sk-first-0123456789abcdef");
  assert.equal(await names(home), "*first");
  assert.match((await key("sk-second-0123456789abcde")).words, /The login "first" is kept/);
  assert.equal(await names(home), "*- first");
  await profile(home, "save", "second");
  assert.deepEqual(await loginsIn(home), {
    "auth.json": "sk-second-0123456789abcde",
    "profiles/first.json": "sk-first-0123456789abcdef",
  });
  const { fingerprint, ...marker } = JSON.parse(
    await readFile(join(home.path, "profiles/active.json"), "utf8"),
  );
  assert.deepEqual(marker, { name: "second", accountId: null, userId: null });
  assert.match(fingerprint, /^[\w-]{22}$/);
  const [second, first] = await list(home);
  assert.deepEqual([second?.authMode, second?.account, first?.authMode], [
    "apikey",
    null,
    "apikey",
  ]);
  assert.ok(!(await profile(home, "list")).words.includes("0123456789"));
});

test("after a logout profiles stay, and only the same person gets the name again", async () => {
  await using home = await createHome();
  const { bob } = await createTwo(home);
  assert.equal((await run(home, ["logout", "--local-only"])).exitCode, 0);
  assert.equal(await names(home), "bob");
  await signIn(home, loginOf(OLA));
  assert.equal(await names(home), "*- bob");
  await run(home, ["logout", "--local-only"]);
  await signIn(home, loginOf(ADA));
  assert.equal(await names(home), "*ada bob");
  await run(home, ["logout", "--local-only"]);
  assert.equal((await profile(home, "use", "bob")).exitCode, 0);
  assert.deepEqual(await loginsIn(home), { "auth.json": bob });
});

test("remove revokes at the login's own issuer, then deletes; the one in use is refused", async () => {
  await using issuer = await startIssuer({ users: [BOB] });
  await using home = await createHome();
  const login = await startLogin(home, issuer);
  await visit(await login.authUrl);
  await login.exitCode;
  await profile(home, "save", "bob");
  const words = await assertRefused(home, ["remove", "bob"], "PROFILE_CONFLICT", 2);
  assert.match(words, /is in use[^]*codex-login logout/);
  await signIn(home, loginOf(ADA));
  const removed = await profile(home, "remove", "bob");
  assert.match(removed.words, /removed from this machine[^]*revoked at the issuer/);
  assert.equal(issuer.asked("revoke").length, 1);
  assert.equal(issuer.liveRefreshTokens.size, 0);
  assert.equal(await names(home), "*-");
  assertNoSecrets(removed.words, issuer);
});

test("remove deletes also when the issuer refuses or hangs, and says so", async () => {
  for (const wrong of [{ status: 500 }, { reset: true }, { hang: true }]) {
    await using issuer = await startIssuer({ users: [BOB] });
    await using home = await createHome();
    const login = await startLogin(home, issuer);
    await visit(await login.authUrl);
    await login.exitCode;
    await profile(home, "save", "bob");
    await signIn(home, loginOf(ADA));
    issuer.misbehave.revoke = wrong;
    const { json } = await run(home, ["profile", "remove", "bob", "--json"], {
      sleep: async (_, signal) => {
        while (issuer.asked("revoke").length === 0 && !signal?.aborted) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    });
    assert.equal(json["removed"], true);
    assert.equal(json["revoked"], false);
    assert.match(
      String(json["revocationError"]),
      /^(TOKEN_ENDPOINT|CONNECTION_RESET|RESPONSE_TIMEOUT)$/,
    );
    assert.equal(await names(home), "*-");
  }
});

test("remove does not revoke what may share a grant with another login here", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const elsewhere: User = { ...ADA, accountId: "acct-9" };
  await signIn(home, loginOf(elsewhere, issuer.url));
  await profile(home, "save", "old");
  await signIn(home, loginOf(ADA, issuer.url));
  assert.match((await profile(home, "remove", "old")).words, /might end another login/);
  assert.equal(issuer.asked("revoke").length, 0);
  assert.equal(await names(home), "*-");
});

test("remove keeps what changed while the issuer was asked", async () => {
  await using home = await createHome();
  await createTwo(home);
  const path = join(home.path, "profiles/bob.json");
  const newer = JSON.stringify(loginOf(BOB));
  const { exitCode, words } = await run(home, ["profile", "remove", "bob"], {
    fetch: async () => {
      await writeFile(path, newer);
      return new Response("{}");
    },
  });
  assert.equal(exitCode, 0);
  assert.match(words, /was changed meanwhile; it is kept/);
  assert.equal(await readFile(path, "utf8"), newer);
});

test("a damaged profile is listed as such, cannot be used, and can be removed", async () => {
  const wrong = [
    "{",
    "[]",
    "",
    '{"tokens":1}',
    `{"a":${"[".repeat(100)}${"]".repeat(100)}}`,
    " ".repeat(1_048_577),
  ];
  for (const text of wrong) {
    await using home = await createHome();
    await createTwo(home);
    await writeFile(join(home.path, "profiles/bob.json"), text);
    assert.equal(await names(home), "*ada bob!CREDENTIALS_CORRUPT");
    assert.match(
      (await profile(home, "list")).words,
      /bob {2}cannot be used \(CREDENTIALS_CORRUPT\)/,
    );
    await assertRefused(home, ["use", "bob"], "CREDENTIALS_CORRUPT", 3);
    assert.match((await profile(home, "remove", "bob")).words, /was damaged/);
    assert.equal(await names(home), "*ada");
  }
});

test("a profile that is a link, a pipe, a folder or another user's is refused", async () => {
  const rows: [name: string, make: (path: string) => Promise<unknown>][] = [
    ["symlink", async (path) => {
      await rename(path, `${path}.real`);
      await symlink(`${path}.real`, path);
    }],
    ["hard link", (path) => link(path, `${path}.other`)],
    ["FIFO", async (path) => {
      await rm(path);
      execFileSync("mkfifo", [path]);
    }],
    ["folder", async (path) => {
      await rm(path);
      await mkdir(path);
    }],
    ...(process.getuid?.() === 0
      ? [
        ["foreign", (path: string) => chown(path, 1234, 1234)] as [
          string,
          (path: string) => Promise<void>,
        ],
      ]
      : []),
  ];
  for (const [name, make] of rows) {
    await using home = await createHome();
    await createTwo(home);
    await make(join(home.path, "profiles/bob.json"));
    assert.equal(await names(home), "*ada bob!CREDENTIALS_UNREADABLE", name);
    await assertRefused(home, ["use", "bob"], "CREDENTIALS_UNREADABLE", 3);
    await assertRefused(home, ["remove", "bob"], "CREDENTIALS_UNREADABLE", 3);
  }
});

test("a profiles folder that is a link or a file is refused, and a login is still possible", async () => {
  for (
    const make of [(path: string) => symlink("/tmp", path), (path: string) => writeFile(path, "x")]
  ) {
    await using home = await createHome();
    await home.writeAuth(loginOf(ADA));
    await make(join(home.path, "profiles"));
    await assertRefused(home, ["list"], "CREDENTIALS_UNREADABLE", 3);
    await assertRefused(home, ["save", "a"], "CREDENTIALS_UNREADABLE", 3);
    await assertRefused(home, ["use", "a"], "CREDENTIALS_UNREADABLE", 3);
    await signIn(home, loginOf(BOB));
    await run(home, ["logout", "--local-only"]);
    assert.equal((await run(home, ["status"])).exitCode, 1);
  }
});

test("a damaged active.json hides nothing, stops a login before it begins, and is mended by save", async () => {
  for (
    const text of [
      "{",
      "null",
      '{"name":"../x","accountId":null,"userId":null}',
      '{"name":"a"}',
      " ".repeat(20_000),
    ]
  ) {
    await using home = await createHome();
    const { ada, bob } = await createTwo(home);
    await writeFile(join(home.path, "profiles/active.json"), text);
    const { words, exitCode } = await profile(home, "list");
    assert.equal(exitCode, 0);
    assert.match(words, /active\.json is damaged.*profile save NAME[^]*\* \(no name\)[^]*bob/);
    await assertRefused(home, ["use", "bob"], "CREDENTIALS_CORRUPT", 3);
    await assert.rejects(signIn(home, loginOf(OLA)), { code: "CREDENTIALS_CORRUPT" });
    assert.deepEqual(await loginsIn(home), { "auth.json": ada, "profiles/bob.json": bob });
    assert.equal((await profile(home, "save", "ada")).exitCode, 0);
    assert.equal(await names(home), "*ada bob");
  }
});

test("a damaged intent stops whoever would write, and loses nothing", async () => {
  for (
    const text of [
      "{",
      "[]",
      '{"from":null}',
      '{"from":{"name":"../auth","accountId":null,"userId":null},"to":null}',
    ]
  ) {
    await using home = await createHome();
    const { ada, bob } = await createTwo(home);
    await writeFile(join(home.path, "profiles/.exchange.json"), text);
    await assertRefused(home, ["use", "bob"], "CREDENTIALS_CORRUPT", 3);
    await assertRefused(home, ["save", "x"], "CREDENTIALS_CORRUPT", 3);
    assert.equal((await run(home, ["status"])).exitCode, 0);
    assert.deepEqual(await loginsIn(home), { "auth.json": ada, "profiles/bob.json": bob });
  }
});

test("a damaged auth.json is neither named nor moved", async () => {
  await using home = await createHome();
  await createTwo(home);
  await home.writeAuth("{damaged");
  assert.equal(await names(home), "*-!CREDENTIALS_CORRUPT bob");
  await assertRefused(home, ["use", "bob"], "CREDENTIALS_CORRUPT", 3);
  await assertRefused(home, ["save", "x"], "CREDENTIALS_CORRUPT", 3);
});

test("an auth.json that is a link is not exchanged, and a login through it replaces as ever", async () => {
  await using home = await createHome();
  const { bob } = await createTwo(home);
  await rename(home.authPath, join(home.path, "elsewhere.json"));
  await symlink("elsewhere.json", home.authPath);
  const words = await assertRefused(home, ["use", "bob"], "SAVE_FAILED", 3);
  assert.match(words, /auth\.json is a link/);
  await assertRefused(home, ["save", "x"], "SAVE_FAILED", 3);
  const ola = await signIn(home, loginOf(OLA));
  assert.deepEqual(await loginsIn(home), { "auth.json": ola, "profiles/bob.json": bob });
});

test("an unfinished write in place is finished before its file is moved", async () => {
  await using home = await createHome();
  const { ada } = await createTwo(home);
  const text = await home.readAuth();
  await writeFile(`${home.authPath}.pending`, text, { mode: 0o600 });
  await home.writeAuth(`\0${text.slice(1, 40)}`);
  assert.equal((await profile(home, "use", "bob")).exitCode, 0);
  assert.equal((await loginsIn(home))["profiles/ada.json"], ada);
  assert.ok(!(await home.list()).includes("auth.json.pending"));
});

test("other stores have no profiles", async () => {
  await using home = await createHome();
  await createTwo(home);
  for (const store of ["keyring", "ephemeral"]) {
    for (const args of [["list"], ["use", "bob"], ["save", "x"], ["remove", "bob"]]) {
      const words = await assertRefused(
        home,
        [...args, "-c", `cli_auth_credentials_store=${store}`],
        "STORE_UNSUPPORTED",
        3,
      );
      assert.match(words, /cli_auth_credentials_store = "file"/);
    }
  }
});

test("use says when the environment wins", async () => {
  await using home = await createHome();
  await createTwo(home);
  const { words } = await run(home, ["profile", "use", "bob"], {
    env: { CODEX_ACCESS_TOKEN: "at-1" },
  });
  assert.match(words, /CODEX_ACCESS_TOKEN is set/);
  assert.ok(!words.includes("at-1"));
});

test("help shows every action, and one of them alone", async () => {
  await using home = await createHome();
  for (const args of [["profile", "--help"], ["help", "profile"]]) {
    const world = await createWorld();
    assert.equal(await runCli([...args, "--codex-home", home.path], world), 0);
    for (const words of ["list", "use NAME", "save NAME", "remove NAME", "--local-only"]) {
      assert.ok(world.data.join("\n").includes(`  ${words}`), words);
    }
  }
  const world = await createWorld();
  assert.equal(await runCli(["profile", "use", "--help", "--codex-home", home.path], world), 0);
  assert.match(world.data.join("\n"), /profile use NAME/);
  assert.doesNotMatch(world.data.join("\n"), /remove NAME/);
});

type Operation =
  | { readonly kind: "save" | "use" | "remove"; readonly name: string }
  | { readonly kind: "login"; readonly user: User }
  | { readonly kind: "key" }
  | { readonly kind: "logout" };

interface Model {
  active: { secret: string; owner: string } | undefined;
  kept: Map<string, { secret: string; owner: string }>;
  marker: { name: string; owner: string } | undefined;
}

function activeName({ active, kept, marker }: Model): string | undefined {
  if (!active || !marker || marker.owner !== active.owner) return undefined;
  return isTaken(kept, marker.name) ? undefined : marker.name;
}

function isTaken(kept: Model["kept"], name: string): boolean {
  return [...kept.keys()].some((one) => one.toLowerCase() === name.toLowerCase());
}

/** What each operation means, in a few lines; tells the exit code. */
function apply(model: Model, operation: Operation, secret: string): number {
  const name = activeName(model);
  const { active } = model;
  switch (operation.kind) {
    case "save":
      if (!active) return 4;
      if (isTaken(model.kept, operation.name)) return 2;
      model.marker = { name: operation.name, owner: active.owner };
      return 0;
    case "use": {
      if (active && name === operation.name) return 0;
      const chosen = model.kept.get(operation.name);
      if (!chosen || (active && name === undefined)) return 2;
      model.kept.delete(operation.name);
      if (active && name !== undefined) model.kept.set(name, active);
      model.active = chosen;
      model.marker = { name: operation.name, owner: chosen.owner };
      return 0;
    }
    case "remove":
      return model.kept.delete(operation.name) ? 0 : 2;
    case "login":
    case "key": {
      const owner = operation.kind === "key" ? secret : operation.user.sub;
      if (active && name !== undefined && active.owner !== owner) {
        model.kept.set(name, active);
        model.marker = undefined;
      }
      model.active = { secret, owner };
      return 0;
    }
    case "logout":
      model.active = undefined;
      return 0;
  }
}

async function perform(
  home: TestHome,
  operation: Operation,
): Promise<[exitCode: number, secret: string]> {
  switch (operation.kind) {
    case "save":
    case "use":
      return [(await profile(home, operation.kind, operation.name)).exitCode, ""];
    case "remove":
      return [(await profile(home, "remove", operation.name, "--local-only")).exitCode, ""];
    case "login":
      return [0, await signIn(home, loginOf(operation.user))];
    case "key":
      return [0, await signIn(home, apiKeyDocument(`sk-${randomUUID()}`, undefined))];
    case "logout":
      return [(await run(home, ["logout", "--local-only"])).exitCode, ""];
  }
}

test("whatever is done in whatever order, every login that has a name exists exactly once", {
  timeout: 120_000,
}, async () => {
  const name = fc.constantFrom("a", "b", "c", "A");
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("save" as const), name }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("use" as const), name }) },
    fc.record({ kind: fc.constant("remove" as const), name }),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("login" as const),
        user: fc.constantFrom(ADA, BOB, OLA),
      }),
    },
    fc.record({ kind: fc.constant("key" as const) }),
    fc.record({ kind: fc.constant("logout" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 4, maxLength: 14 }), async (operations) => {
      await using home = await createHome();
      const model: Model = { active: undefined, kept: new Map(), marker: undefined };
      for (const one of operations) {
        const [exitCode, secret] = await perform(home, one);
        assert.equal(exitCode, apply(model, one, secret), JSON.stringify(one));
        assert.deepEqual(await loginsIn(home), {
          ...(model.active ? { "auth.json": model.active.secret } : {}),
          ...Object.fromEntries(
            [...model.kept].map(([kept, { secret }]) => [`profiles/${kept}.json`, secret]),
          ),
        });
        const listed = await names(home);
        const star = model.active ? [`*${activeName(model) ?? "-"}`] : [];
        assert.equal(listed, [...star, ...[...model.kept.keys()].sort()].join(" "));
      }
    }),
    { numRuns: 40 },
  );
});
