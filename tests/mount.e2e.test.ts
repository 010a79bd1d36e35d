import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { type Ended, runProgram, SUBJECT } from "./testing/program.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";
const OLD = JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "sk-old", mine: [1] }, null, 2);

const mayMount = spawnSync("unshare", ["-m", "true"]).status === 0;
const OPTIONS = { timeout: 60_000, skip: !mayMount && "mounting takes root on Linux" };

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
    const bind = 'mount --bind "$OUT" "$H/auth.json"';
    const saved = await runMounted(home, bind, ["login", "--with-api-key"], KEY);
    assert.equal(saved.exitCode, 0, saved.stderr);
    const file = JSON.parse(await readFile(outside(home), "utf8"));
    assert.deepEqual([file.OPENAI_API_KEY, file.mine], [KEY, [1]]);
    assert.deepEqual(await leftovers(home), []);
    assert.equal((await runMounted(home, bind, ["status"])).exitCode, 0);
    const out = await runMounted(home, bind, ["logout"]);
    assert.equal(out.exitCode, 0, out.stderr);
    assert.equal(await readFile(outside(home), "utf8"), "");
    assert.equal((await runMounted(home, bind, ["status"])).exitCode, 1);
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
