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
  rename,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { maskKey } from "../src/printable.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import {
  type Ended,
  runProgram,
  startLogin,
  type StartOptions,
  SUBJECT,
} from "./testing/program.ts";
import { verifies } from "./testing/verifies.ts";

const OLD_KEY = "sk-old-0123456789abcdef";
const OLD = JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: OLD_KEY }, null, 2);
const KEY = "sk-new-0123456789abcdef";
const SLOW = { timeout: 120_000 };
const IS_ROOT = process.getuid?.() === 0;

const COMMANDS = {
  status: ["status"],
  logout: ["logout"],
  token: ["token"],
  refresh: ["refresh"],
  "key login": ["login", "--with-api-key"],
  // Nobody listens there: what is told before anybody signs in asks nobody.
  "browser login": ["login", "--issuer", "http://127.0.0.1:9", "--port", "0", "--no-browser"],
} as const;

/** Runs one of them, which must end with this error and repeat no key. */
async function assertRefused(
  home: TestHome,
  name: keyof typeof COMMANDS,
  code: string,
  reason: RegExp,
  options: StartOptions = {},
): Promise<void> {
  const ended = await runProgram(home, COMMANDS[name], { input: KEY, cwd: "/", ...options });
  assert.equal(ended.exitCode, 3, `${name}: ${ended.stderr}`);
  assert.match(ended.stderr, new RegExp(`^error\\[${code}\\]: .+\n +cause: `, "m"), name);
  assert.match(ended.stderr, reason, name);
  assert.ok(![KEY, OLD_KEY, "/oauth/authorize"].some((one) => ended.stderr.includes(one)), name);
  assert.equal(ended.stdout, "");
  assert.deepEqual((await home.list()).filter((one) => /tmp$|pending$|corrupt/.test(one)), []);
}

async function run(home: TestHome, name: keyof typeof COMMANDS): Promise<Ended> {
  return await runProgram(home, COMMANDS[name], { input: KEY, cwd: "/" });
}

/** Leaves the socket's file behind, with nobody at it. */
async function bindSocket(path: string): Promise<void> {
  const server = createServer();
  const elsewhere = `${path}.bound`;
  await new Promise<void>((resolve) => server.listen(elsewhere, resolve));
  await rename(elsewhere, path);
  await new Promise((resolve) => server.close(resolve));
}

const inPlaceOfAuthJson: readonly (readonly [
  what: string,
  make: (home: TestHome) => Promise<unknown>,
  reason: RegExp,
  skip?: string | false,
])[] = [
  ["a hard link", async (home) => {
    await writeFile(join(home.path, "other"), OLD, { mode: 0o600 });
    await link(join(home.path, "other"), home.authPath);
  }, /it is a hard link/],
  ["a folder", (home) => mkdir(home.authPath), /it is not a regular file/],
  [
    "a FIFO",
    (home) => Promise.resolve(execFileSync("mkfifo", [home.authPath])),
    /it is not a regular file/,
  ],
  ["a socket", async (home) => void await bindSocket(home.authPath), /it is not a regular file/],
  [
    "a link to a device that never ends",
    (home) => symlink("/dev/zero", home.authPath),
    IS_ROOT ? /it is not a regular file/ : /it belongs to user 0/,
  ],
  [
    "links in a circle",
    async (home) => {
      await symlink("auth.json", join(home.path, "other"));
      await symlink("other", home.authPath);
    },
    /it is a chain of too many links/,
  ],
  [
    "another user's file",
    async (home) => {
      await home.writeAuth(OLD);
      await chown(home.authPath, 65_534, 65_534);
    },
    /it belongs to user 65534/,
    !IS_ROOT && "giving files away takes root",
  ],
];

for (const [what, make, reason, skip = false] of inPlaceOfAuthJson) {
  verifies(
    ["S49", "S55"],
    `${SUBJECT}: ${what} in the place of auth.json is refused by every command, and stays as it is`,
    { ...SLOW, skip },
    async () => {
      await using home = await createHome();
      await make(home);
      const before = await lstat(home.authPath);
      for (const name of ["status", "logout", "token", "refresh"] as const) {
        await assertRefused(home, name, "CREDENTIALS_UNREADABLE", reason);
      }
      for (const name of ["key login", "browser login"] as const) {
        await assertRefused(home, name, "SAVE_FAILED", reason);
      }
      const after = await lstat(home.authPath);
      for (const member of ["ino", "uid", "mode", "size", "nlink", "mtimeMs"] as const) {
        assert.equal(after[member], before[member], member);
      }
      if (after.isFile()) assert.equal(await home.readAuth(), OLD);
    },
  );
}

test(
  `${SUBJECT}: in a folder that is not ours to write, a login is read, and neither replaced nor revoked`,
  SLOW,
  async () => {
    await using home = await createHome();
    await home.writeAuth(OLD);
    if (IS_ROOT) await chown(home.authPath, 65_534, 65_534);
    await chmod(home.path, IS_ROOT ? 0o755 : 0o500);
    const setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const options = { wrapper: IS_ROOT ? setpriv : [], cwd: "/" };
    const status = await runProgram(home, ["status"], options);
    assert.equal(status.exitCode, 0, status.stderr);
    const denied = /permission denied \(EACCES\)/;
    for (const name of ["logout", "key login", "browser login"] as const) {
      await assertRefused(home, name, "SAVE_FAILED", denied, options);
    }
    assert.equal(await home.readAuth(), OLD);
  },
);

const damaged:
  readonly (readonly [what: string, make: (home: TestHome) => Promise<unknown>, reason: RegExp])[] =
    [
      [
        "of 10 MB",
        (home) => home.writeAuth(`{"OPENAI_API_KEY":"${"x".repeat(10_000_000)}"}`),
        /larger/,
      ],
      ["of 20 GB, of which nothing is on the disk", async (home) => {
        await home.writeAuth(OLD);
        await truncate(home.authPath, 20_000_000_000);
      }, /larger/],
      [
        "of 100,000 lists in each other",
        (home) => home.writeAuth("[".repeat(100_000) + "]".repeat(100_000)),
        /nested/,
      ],
      [
        "of 100,000 objects in each other",
        (home) => home.writeAuth('{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)),
        /nested/,
      ],
      ["that never closes", (home) => home.writeAuth('{"tokens":{"a":'.repeat(50_000)), /nested/],
    ];

for (const [what, make, reason] of damaged) {
  verifies(
    ["S51", "S55"],
    `${SUBJECT}: a file ${what} is damage to a status, nothing to a logout, and kept aside by a login`,
    SLOW,
    async () => {
      await using home = await createHome();
      await make(home);
      await chmod(home.authPath, 0o644);
      const { size, ino } = await stat(home.authPath);
      await assertRefused(home, "status", "CREDENTIALS_CORRUPT", reason);
      assert.equal((await stat(home.authPath)).size, size);
      const login = await run(home, "key login");
      assert.equal(login.exitCode, 0, login.stderr);
      const aside = (await home.list()).find((name) => name.includes("corrupt")) ?? "";
      assert.equal((await stat(join(home.path, aside))).ino, ino);
      assert.equal((await stat(join(home.path, aside))).size, size);
      assert.equal(await home.mode(aside), "600");
      assert.equal((await home.authJson())["OPENAI_API_KEY"], KEY);

      await make(home);
      const logout = await run(home, "logout");
      assert.equal(logout.exitCode, 0, logout.stderr);
      assert.match(logout.stderr, /The file was damaged/);
      assert.ok(!(await home.list()).includes("auth.json"));
    },
  );
}

verifies(
  "S38",
  `${SUBJECT}: members named __proto__ are data, and give nobody a login`,
  SLOW,
  async () => {
    await using home = await createHome();
    const proto = '"__proto__": {"OPENAI_API_KEY": "sk-evil", "loggedIn": true, "exitCode": 0}';
    const deep = `"mine": {"__proto__": [{"__proto__": {"constructor": {"prototype": 1}}}]}`;
    await home.writeAuth(
      `{${proto}, "auth_mode": "apikey", "OPENAI_API_KEY": "${OLD_KEY}", ${deep}}`,
    );
    const status = await run(home, "status");
    assert.equal(status.exitCode, 0, status.stderr);
    assert.ok(status.stderr.includes(`API key ${maskKey(OLD_KEY)}.`), status.stderr);
    const login = await run(home, "key login");
    assert.equal(login.exitCode, 0, login.stderr);
    const bare = (await home.readAuth()).replace(/\s/g, "");
    for (const kept of [proto, deep]) assert.ok(bare.includes(kept.replace(/\s/g, "")), bare);
    assert.ok(bare.startsWith(`{"auth_mode":"apikey","OPENAI_API_KEY":"${KEY}",`), bare);
    assert.equal((await run(home, "logout")).exitCode, 0);

    const tokens = '{"id_token": "a.e30.c", "access_token": "a", "refresh_token": "r"}';
    for (
      const [text, exitCode] of [
        [`{${proto}, "auth_mode": "apikey"}`, 1],
        [`{"__proto__": {"tokens": ${tokens}}}`, 1],
        [`{"auth_mode": "chatgpt", "tokens": {"__proto__": ${tokens}}}`, 3],
        [`{"auth_mode": "__proto__", "tokens": ${tokens}}`, 3],
        [`{"auth_mode": "chatgpt", "tokens": "__proto__"}`, 3],
      ] as const
    ) {
      await home.writeAuth(text);
      const ended = await run(home, "status");
      assert.equal(ended.exitCode, exitCode, `${text}\n${ended.stderr}`);
      assert.equal(await home.readAuth(), text);
    }
  },
);

verifies(
  ["S43", "S44", "S63"],
  `${SUBJECT}: under umask 0 all that a login makes is ours alone, and a loose auth.json is tightened`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const options: StartOptions = {
      wrapper: ["sh", "-c", 'umask 0; exec "$@"', "sh"],
      env: { XDG_RUNTIME_DIR: join(home.path, "run") },
      cwd: "/",
    };
    await mkdir(join(home.path, "run"), { mode: 0o700 });
    const fresh = join(home.path, "deep", "codex");
    const loose = join(home.path, "loose");
    await mkdir(loose);
    await writeFile(join(loose, "auth.json"), OLD);
    await chmod(join(loose, "auth.json"), 0o644);
    for (const folder of [fresh, loose]) {
      await using program = startLogin(home, issuer, ["--codex-home", folder], options);
      await visit(await program.authUrl());
      assert.equal((await program.ended).exitCode, 0);
    }
    assert.match(await readFile(join(loose, "auth.json"), "utf8"), /refresh_token/);
    for (const root of ["deep", "loose", "run"]) {
      const path = join(home.path, root);
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
        const { mode } = await stat(join(entry.parentPath, entry.name));
        assert.equal(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, entry.name);
      }
    }
    assert.equal((await stat(join(home.path, "deep"))).mode & 0o777, 0o700);
  },
);
