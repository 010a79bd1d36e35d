import assert from "node:assert/strict";
import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { createHome, type TestHome } from "./testing/home.ts";
import { runProgram, type StartOptions, SUBJECT } from "./testing/program.ts";
import { times } from "./testing/thorough.ts";
import { verifies } from "./testing/verifies.ts";

const OLD = JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "sk-old-0123456789" }, null, 2);
const KEY = "sk-new-0123456789abcdef";
const SLOW = { timeout: 120_000 };
const IS_ROOT = process.getuid?.() === 0;
const OTHER = 65_534;
const AS_OTHER = ["setpriv", `--reuid=${OTHER}`, `--regid=${OTHER}`, "--clear-groups"];

const login = (home: TestHome, options: StartOptions = {}): ReturnType<typeof runProgram> =>
  runProgram(home, ["login", "--with-api-key"], { input: KEY, cwd: "/", ...options });

/** A file that must stay as it is, in a folder of its own. */
async function makeVictim(home: TestHome): Promise<string> {
  await mkdir(join(home.path, "elsewhere"), { mode: 0o755 });
  const victim = join(home.path, "elsewhere", "victim.json");
  await writeFile(victim, OLD, { mode: 0o600 });
  return victim;
}

verifies(
  "S49",
  `${SUBJECT}: a link of ours to a file of ours stays, and what it leads to is replaced, there or not`,
  SLOW,
  async () => {
    for (const isDangling of [false, true]) {
      await using home = await createHome();
      const target = join(home.path, "elsewhere", "auth.json");
      await mkdir(join(home.path, "elsewhere"), { mode: 0o700 });
      if (!isDangling) await writeFile(target, OLD, { mode: 0o644 });
      await symlink("elsewhere/auth.json", home.authPath);
      const { exitCode, stderr } = await login(home);
      assert.equal(exitCode, 0, stderr);
      assert.equal(await readlink(home.authPath), "elsewhere/auth.json");
      assert.equal(JSON.parse(await readFile(target, "utf8")).OPENAI_API_KEY, KEY);
      assert.equal((await lstat(target)).mode & 0o777, 0o600);
      const out = await runProgram(home, ["logout"], { cwd: "/" });
      assert.equal(out.exitCode, 0, out.stderr);
      await assert.rejects(lstat(target), { code: "ENOENT" });
      await assert.rejects(lstat(home.authPath), { code: "ENOENT" });
    }
  },
);

verifies(
  "S49",
  `${SUBJECT}: neither another user's link nor a link to another user's file is followed`,
  { ...SLOW, skip: !IS_ROOT && "acting as another user takes root" },
  async () => {
    await using home = await createHome();
    await chmod(home.path, 0o755);
    const victim = await makeVictim(home);
    const own = join(home.path, "own");
    await mkdir(own);
    await symlink(victim, join(own, "auth.json"));
    await chown(own, OTHER, OTHER);
    const before = await stat(victim);
    const env = { CODEX_HOME: own };
    const asOther = { wrapper: AS_OTHER, env };
    // The link is root's; then the other user's own, but the file is not.
    for (const reason of [/it belongs to user 0/, /permission denied|it belongs to user 0/]) {
      for (const args of [["login", "--with-api-key"], ["logout"], ["status"]]) {
        const ended = await runProgram(home, args, { ...asOther, input: KEY, cwd: "/" });
        assert.equal(ended.exitCode, 3, ended.stderr);
        assert.match(ended.stderr, reason);
      }
      await lchown(join(own, "auth.json"), OTHER, OTHER);
    }
    // Root, whom no mode stops, is no different.
    const asRoot = await login(home, { env });
    assert.equal(asRoot.exitCode, 3, asRoot.stderr);
    assert.match(asRoot.stderr, /it belongs to user 65534/);
    const after = await stat(victim);
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
    assert.equal(await readFile(victim, "utf8"), OLD);
  },
);

verifies(
  "S49",
  `${SUBJECT}: a link that comes into place during a save leads no byte into what it points to`,
  SLOW,
  async () => {
    await using home = await createHome();
    await chmod(home.path, 0o755);
    const victim = await makeVictim(home);
    if (IS_ROOT) await chown(victim, OTHER, OTHER);
    const { ino } = await stat(victim);
    let isOver = false;
    const racing = (async () => {
      for (let i = 0; !isOver; i++) {
        const next = join(home.path, "next");
        if (i % 2) await symlink(victim, next);
        else await writeFile(next, OLD, { mode: 0o600 });
        await rename(next, home.authPath);
      }
    })();
    const codes = new Set<number | null>();
    for (let i = 0; i < times(3, 30); i++) {
      const { exitCode, stderr } = await login(home);
      codes.add(exitCode);
      assert.ok(exitCode === 0 || exitCode === 3, stderr);
    }
    isOver = true;
    await racing;
    // A link to a file of our own is followed on purpose, and then the file is replaced: never written into.
    const held = await readFile(victim, "utf8");
    const after = await stat(victim);
    if (IS_ROOT) assert.deepEqual([held, after.ino, after.uid], [OLD, ino, OTHER]);
    else assert.ok(after.ino === ino ? held === OLD : JSON.parse(held).OPENAI_API_KEY === KEY);
    assert.deepEqual((await home.list()).filter((name) => name.endsWith(".tmp")), []);
  },
);

verifies(
  ["S49", "S52"],
  `${SUBJECT}: links and folders in the place of the lock files, the log and the marks lead nowhere`,
  SLOW,
  async () => {
    for (const name of ["auth.lock", "auth.json.lock", "auth.refresh.lock"]) {
      await using home = await createHome();
      await home.writeAuth(OLD);
      const victim = await makeVictim(home);
      await symlink(victim, join(home.path, name));
      const { exitCode, stderr } = await login(home);
      assert.equal(exitCode, 3, `${name}: ${stderr}`);
      assert.match(stderr, /error\[SAVE_FAILED\]/);
      assert.ok(!stderr.includes(KEY));
      assert.equal(await readFile(victim, "utf8"), OLD);
      assert.equal(await home.readAuth(), OLD);
    }
    await using home = await createHome();
    await home.writeAuth(OLD);
    const victim = await makeVictim(home);
    for (const name of ["auth.json.pending", "auth.refresh.sent"]) {
      await symlink(victim, join(home.path, name));
    }
    await mkdir(join(home.path, "log"), { mode: 0o700 });
    await symlink(victim, join(home.path, "log", "codex-login.log"));
    const { exitCode, stderr } = await login(home);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await readFile(victim, "utf8"), OLD);
  },
);
