import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { maskKey } from "../src/printable.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { visit } from "./testing/fake_browser.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { holdLock } from "./testing/lock_holder.ts";
import { type Ended, runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { missingNamespaces, missingTool } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";
const OLD = JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "sk-old", mine: [1] }, null, 2);

const OPTIONS = { timeout: 60_000, skip: missingNamespaces("-m") };

/** Runs the program where `script` has mounted something; $H is the home, $OUT the file outside of it. */
async function runMounted(
  home: TestHome,
  script: string,
  args: readonly string[],
  input = "",
): Promise<Ended> {
  return await runProgram(home, args, {
    wrapper: ["unshare", "-m", "sh", "-ec", `${script}; "$@"`, "sh"],
    env: { H: home.path, OUT: outside(home) },
    input,
    cwd: "/",
  });
}

const outside = (home: TestHome): string => join(home.path, "outside.json");

const BIND = 'mount --bind "$OUT" "$H/auth.json"';

/** An auth.json that a container would be given: the place for it is in the home, the file is elsewhere. */
async function createMountedHome(): Promise<TestHome> {
  const home = await createHome();
  await writeFile(outside(home), OLD, { mode: 0o600 });
  await writeFile(home.authPath, "", { mode: 0o600 });
  return home;
}

const leftovers = async (home: TestHome): Promise<string[]> =>
  (await readdir(home.path)).filter((name) => /tmp|pending/.test(name));

test(
  `${SUBJECT}: an auth.json mounted by itself is written in place and emptied by a logout`,
  OPTIONS,
  async () => {
    await using home = await createMountedHome();
    const saved = await runMounted(home, BIND, ["login", "--with-api-key"], KEY);
    assert.equal(saved.exitCode, 0, saved.stderr);
    const file = JSON.parse(await readFile(outside(home), "utf8"));
    assert.deepEqual([file.OPENAI_API_KEY, file.mine], [KEY, [1]]);
    assert.deepEqual(await leftovers(home), []);
    assert.equal((await runMounted(home, BIND, ["status"])).exitCode, 0);
    const out = await runMounted(home, BIND, ["logout"]);
    assert.equal(out.exitCode, 0, out.stderr);
    assert.equal(await readFile(outside(home), "utf8"), "");
    assert.equal((await runMounted(home, BIND, ["status"])).exitCode, 1);
  },
);

test(
  `${SUBJECT}: a mounted auth.json that cannot be written is told before anybody signs in`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    const readOnly = 'mount --bind "$OUT" "$H/auth.json"; mount -o remount,bind,ro "$H/auth.json"';
    const full =
      'mkdir "$H/small"; mount -t tmpfs -o size=16k none "$H/small"; cp "$OUT" "$H/small/auth.json"; ' +
      'mount --bind "$H/small/auth.json" "$H/auth.json"; head -c 12000 /dev/zero > "$H/small/filler"; ' +
      'trap \'cat "$H/auth.json" > "$OUT"\' EXIT';
    for (const [script, cause] of [[readOnly, "EROFS"], [full, "ENOSPC"]] as const) {
      await using home = await createMountedHome();
      const login = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"];
      const ended = await runMounted(home, script, login);
      assert.equal(ended.exitCode, 3, `${script}\n${ended.stderr}`);
      assert.match(ended.stderr, new RegExp(`error\\[SAVE_FAILED\\][^]*${cause}`));
      assert.ok(!ended.stderr.includes("/oauth/authorize"));
      assert.equal(await readFile(outside(home), "utf8"), OLD);
      assert.deepEqual(await leftovers(home), []);
    }
    assert.equal(issuer.requests.length, 0);
  },
);

test(
  `${SUBJECT}: a mounted auth.json that breaks while it is written leaves the copy, and says so`,
  { ...OPTIONS, skip: OPTIONS.skip || missingTool("strace", "-V") },
  async () => {
    await using issuer = await startIssuer();
    issuer.misbehave.apiKey = { status: 403 };
    await using home = await createMountedHome();
    // Longer than the new one: then no space is reserved, which would fail before anything is touched.
    const long = JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "k".repeat(20_000) });
    await writeFile(outside(home), long);
    await using program = startLogin(home, issuer, [], {
      wrapper: ["unshare", "-m", "sh", "-ec", `${BIND}; exec "$@"`, "sh"],
      env: { H: home.path, OUT: outside(home) },
      cwd: "/",
    });
    const address = await program.authUrl();
    // What was proved before holds no more: nothing is synced from now on.
    const trace = join(home.path, "trace");
    const strace = spawn("strace", [
      ...["-f", "-p", String(program.child.pid), "-o", trace, "-P", home.authPath],
      ...["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"],
    ], { stdio: ["ignore", "ignore", "pipe"] });
    const isGone = new Promise((resolve) => strace.once("close", resolve));
    await new Promise((resolve) => strace.stderr.once("data", resolve));
    await visit(address);
    const { exitCode, stderr } = await program.ended;
    await isGone;
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /error\[SAVE_FAILED\][^]*\(EIO\)/);
    assert.match(
      stderr,
      /\n {2}note: {2}auth\.json\.pending holds the new login, which counts while auth\.json is not whole/,
    );
    assert.ok(!stderr.includes("untouched"));
    assertNoSecrets(stderr.replace(address, ""), issuer);
    const status = await runMounted(home, BIND, ["status", "--json"]);
    assert.equal(JSON.parse(status.stdout).account?.email, "ada@example.com", status.stderr);
  },
);

verifies(
  ["S47", "S54"],
  `${SUBJECT}: a full or a read-only home is told before anybody signs in, and keeps what it had`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    const login = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"];
    for (
      const [after, args, cause] of [
        ["head -c 999999 /dev/zero > filler || true", login, "ENOSPC"],
        ["mount -o remount,ro .", login, "EROFS"],
        ["mount -o remount,ro .", ["logout"], "EROFS"],
      ] as const
    ) {
      await using home = await createMountedHome();
      const small = join(home.path, "small");
      await mkdir(small);
      const ended = await runProgram(home, [...args, "--codex-home", small], {
        wrapper: [
          "unshare",
          "-m",
          "sh",
          "-c",
          'cd "$0"; mount -t tmpfs -o size=64k none .; cd "$0"; cp ../outside.json auth.json; ' +
          `${after}; "$@"; code=$?; cmp auth.json ../outside.json && ls -A; exit $code`,
          small,
        ],
        cwd: "/",
      });
      assert.equal(ended.exitCode, 3, `${after}\n${ended.stderr}`);
      assert.match(ended.stderr, new RegExp(`error\\[SAVE_FAILED\\][^]*${cause}`));
      assert.ok(!ended.stderr.includes("/oauth/authorize"));
      const left = ended.stdout.trim().split("\n");
      assert.ok(left.includes("auth.json"), ended.stdout);
      assert.ok(!left.some((name) => /tmp|pending/.test(name)), ended.stdout);
    }
    assert.equal(issuer.requests.length, 0);
  },
);

verifies(
  ["S44", "S51"],
  `${SUBJECT}: a loose mounted auth.json is tightened, and a damaged one kept aside for us alone`,
  OPTIONS,
  async () => {
    for (const text of [OLD, '{"tokens": {"id_token": "eyJ']) {
      await using home = await createMountedHome();
      await writeFile(outside(home), text);
      await chmod(outside(home), 0o666);
      const saved = await runMounted(
        home,
        `umask 0; ${BIND}`,
        ["login", "--with-api-key"],
        KEY,
      );
      assert.equal(saved.exitCode, 0, saved.stderr);
      assert.equal((await stat(outside(home))).mode & 0o777, 0o600);
      const aside = (await home.list()).filter((name) => name.includes("corrupt"));
      assert.equal(aside.length, text === OLD ? 0 : 1);
      for (const name of aside) {
        assert.equal(await home.mode(name), "600");
        assert.equal(await readFile(join(home.path, name), "utf8"), text);
      }
    }
  },
);

verifies(
  ["S46", "S53"],
  `${SUBJECT}: a mounted auth.json that another container is writing is waited for, not called damaged`,
  { ...OPTIONS, skip: OPTIONS.skip || missingTool("strace", "-V") },
  async () => {
    await using writer = await createMountedHome();
    await using reader = await createMountedHome();
    const bind = `mount --bind "${outside(writer)}" "$H/auth.json"`;
    // A slow disk: the file is not whole for some time.
    const slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", writer.authPath];
    const writing = runProgram(writer, ["login", "--with-api-key"], {
      wrapper: [
        ...["unshare", "-m", "sh", "-ec", `${bind}; exec "$@"`, "sh", ...slow],
        ...["-e", "trace=fsync", "-e", "inject=fsync:delay_exit=100000"],
      ],
      env: { H: writer.path },
      input: KEY,
      cwd: "/",
    });
    let isWritten = false;
    writing.finally(() => isWritten = true);
    const shown = new Set<string>();
    while (!isWritten) {
      const { exitCode, stdout, stderr } = await runMounted(reader, bind, ["status", "--json"]);
      assert.equal(exitCode, 0, stderr);
      shown.add(JSON.parse(stdout).apiKey);
    }
    const { exitCode, stderr } = await writing;
    assert.equal(exitCode, 0, stderr);
    for (const key of shown) assert.ok([maskKey(KEY), maskKey("sk-old")].includes(key), key);
    assert.deepEqual((await reader.list()).filter((name) => name.includes("corrupt")), []);
  },
);

verifies(
  "S53",
  `${SUBJECT}: a login tries nothing out in a mounted auth.json that another container has locked`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createMountedHome();
    const { mtimeMs } = await stat(outside(home));
    const held = await holdLock(outside(home));
    await using program = startLogin(home, issuer, [], {
      wrapper: ["unshare", "-m", "sh", "-ec", `${BIND}; exec "$@"`, "sh"],
      env: { H: home.path, OUT: outside(home) },
      cwd: "/",
    });
    const address = await program.authUrl();
    assert.equal((await stat(outside(home))).mtimeMs, mtimeMs);
    const visited = visit(address);
    await program.shows(/^Waiting for .*, which holds auth\.json\.$/m);
    assert.equal(await readFile(outside(home), "utf8"), OLD);
    await held[Symbol.asyncDispose]();
    await visited;
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.match(await readFile(outside(home), "utf8"), /refresh_token/);
  },
);

test(
  `${SUBJECT}: homes that share only a mounted auth.json renew its login once`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using first = await createMountedHome();
    await using second = await createMountedHome();
    await storeLogin(first, issuer, 100);
    await writeFile(outside(first), await first.readAuth(), { mode: 0o600 });
    await writeFile(first.authPath, "");
    const bind = `mount --bind "${outside(first)}" "$H/auth.json"`;
    const ended = await Promise.all(
      [first, second, first, second].map((home) => runMounted(home, bind, ["token"])),
    );
    const tokens = ended.map(({ exitCode, stdout, stderr }) => {
      assert.equal(exitCode, 0, stderr);
      return stdout;
    });
    assert.equal(new Set(tokens).size, 1);
    assert.equal(issuer.asked("refresh").length, 1);
  },
);
