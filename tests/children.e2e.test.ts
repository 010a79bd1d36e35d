import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deferred } from "../src/deferred.ts";
import { sleep } from "../src/system_world.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { get } from "./testing/http_client.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import { type Program, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { MISSING_SECRET_SERVICE, startSecretService } from "./testing/secret_service.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { startTerminal } from "./testing/tmux.ts";
import { missingTool } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
const TRACED = { ...SLOW, skip: missingTool("strace", "-V") };
const KEYRING = ["-c", "cli_auth_credentials_store=keyring"];
const KEY = "sk-proj-0123456789abcdefghijklmnop";
/** Secrets of a person's own, which are none of a child's business. */
const OWN = {
  OPENAI_API_KEY: "sk-own-canary-0123456789",
  CI_JOB_TOKEN: "job-canary-0123456789",
  DB_PASSWORD: "db-canary-0123456789",
};

/** Every program that was started, with its arguments and its whole environment; the first is the traced one itself. */
function recording(home: TestHome): string[] {
  const file = join(home.path, "trace");
  // All other calls are made as if nobody looked.
  const flags = ["-f", "--seccomp-bpf", "-qq", "-v", "-s", "100000"];
  return ["strace", ...flags, "-e", "trace=execve", "-o", file];
}

async function readChildren(home: TestHome): Promise<string[]> {
  const lines = (await readFile(join(home.path, "trace"), "utf8")).split("\n");
  const starts = lines.filter((line) => / execve\("/.test(line));
  // What starts Deno is not what is tested: all of its own first program's starts have the same process.
  const own = starts[0]?.split(" ")[0];
  return starts.filter((line) => line.split(" ")[0] !== own);
}

async function plantBrowser(home: TestHome, body: string): Promise<string> {
  const path = join(home.path, "browser");
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

interface Traced {
  readonly home: TestHome;
  readonly issuer: TestIssuer;
  start(...args: string[]): Program;
}

/** Runs this with everything recorded, and gives what was started meanwhile; no secret of anybody's is in it. */
async function assertCleanChildren(
  env: Record<string, string>,
  run: (traced: Traced) => Promise<void>,
  { input }: { input?: string } = {},
): Promise<string[]> {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const start = (...args: string[]): Program =>
    startProgram(home, args, {
      env: { ...OWN, ...env },
      wrapper: recording(home),
      ...(input === undefined ? {} : { input }),
    });
  await run({ home, issuer, start });
  const children = await readChildren(home);
  const states = children.flatMap((line) => /[?&]state=([\w-]+)/.exec(line)?.[1] ?? []);
  // The address is the browser's; the state in it is worth nothing without the code.
  const told = children.map((line) => line.replace(/"http[^"]*\/oauth\/authorize\?[^"]*"/g, ""));
  for (const secret of [...Object.values(OWN), ...states, KEY]) {
    assert.ok(!told.some((line) => line.includes(secret)), secret.slice(0, 6));
  }
  assertNoSecrets(told.join("\n"), issuer);
  return children;
}

verifies(
  ["S62", "S66"],
  `${SUBJECT}: a login starts the browser and no shell, with nothing secret in arguments or environments`,
  TRACED,
  async () => {
    let browser = "";
    const children = await assertCleanChildren(
      { DISPLAY: ":0" },
      async ({ home, issuer, start }) => {
        browser = await plantBrowser(home, ":");
        // Somebody else has the usual port: whoever that is has to be found out as well.
        await using _stranger = await occupy(1455);
        const command = `${browser} --x=$(id);id \`id\` %s && id`;
        await using program = start("login", "--issuer", issuer.url, "--browser", command);
        await visit(await program.authUrl());
        const ended = await program.ended;
        assert.equal(ended.exitCode, 0, ended.stderr);
      },
    );
    const started = children.filter((line) => line.includes(`execve("${browser}"`));
    assert.equal(started.length, 1);
    // The script itself is run by a shell, and by no shell of ours.
    assert.ok(!children.some((line) => /execve\("[^"]*\/(ba|da)?sh"/.test(line)));
    const [, told = ""] = /, \[(.*?)\], \[/.exec(started[0] ?? "") ?? [];
    const words = [...told.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word);
    const address = words.splice(3, 1)[0] ?? "";
    assert.match(address, /^http:[^ ]*\/oauth\/authorize\?/);
    assert.deepEqual(words, [browser, "--x=$(id);id", "`id`", "&&", "id"]);
  },
);

verifies(
  "S62",
  `${SUBJECT}: nor does a device login, a key, a renewal or a logout hand a secret to anybody`,
  TRACED,
  async () => {
    await assertCleanChildren({}, async ({ issuer, start }) => {
      await using program = start("login", "--device-auth", "--issuer", issuer.url);
      const [userCode] = await program.shows(/^[0-9A-F]{4}-[0-9A-F]{6}$/m);
      issuer.enterCode(userCode);
      assert.equal((await program.ended).exitCode, 0);
    });
    await assertCleanChildren({}, async ({ start }) => {
      assert.equal((await start("login", "--with-api-key").ended).exitCode, 0);
    }, { input: `${KEY}\n` });
    for (const command of ["refresh", "token", "logout", "status"]) {
      await assertCleanChildren({}, async ({ home, issuer, start }) => {
        await storeLogin(home, issuer, -10);
        const ended = await start(command).ended;
        assert.equal(ended.exitCode, 0, ended.stderr);
      });
    }
  },
);

verifies(
  "S62",
  `${SUBJECT}: the keyring's helper is given no secret but through its pipe`,
  { ...TRACED, skip: TRACED.skip || MISSING_SECRET_SERVICE },
  async () => {
    await using service = await startSecretService();
    const children = await assertCleanChildren(service.env, async ({ issuer, start }) => {
      await using program = start(
        ...["login", "--issuer", issuer.url, "--port", "0", "--no-browser", ...KEYRING],
      );
      await visit(await program.authUrl());
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
    });
    assert.ok(children.some((line) => line.includes('"keyring-helper"')));
  },
);

verifies(
  "S62",
  `${SUBJECT}: a key of more than 4 kB is refused, one newline after it is no part of it`,
  SLOW,
  async () => {
    await using home = await createHome();
    const run = async (input: string): Promise<number | null> =>
      (await startProgram(home, ["login", "--with-api-key"], { input }).ended).exitCode;
    const long = `sk-${"x".repeat(4_096 - 3)}`;
    for (const input of [`${long}x`, "x".repeat(1 << 20), `${KEY}\n${KEY}\n`]) {
      assert.equal(await run(input), 1);
      assert.ok(!(await home.list()).some((name) => /^auth\.json(?!\.lock$)/.test(name)));
    }
    for (const end of ["", "\n", "\r\n"]) {
      assert.equal(await run(`${KEY}${end}`), 0);
      assert.equal((await home.authJson())["OPENAI_API_KEY"], KEY);
    }
    assert.equal(await run(long), 0);
  },
);

verifies(
  "S67",
  `${SUBJECT}: a signal that comes twice ends a login once, and nothing of it stays`,
  SLOW,
  async () => {
    for (const [first, exitCode] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const never = deferred<void>();
      issuer.misbehave.token = { after: never.promise };
      await using program = startLogin(home, issuer);
      const authUrl = await program.authUrl();
      visit(authUrl).catch(() => {});
      while (issuer.asked("token").length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      program.kill(first);
      program.kill(first);
      const ended = await program.ended;
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      const redirect = new URL(authUrl).searchParams.get("redirect_uri") ?? "";
      await using _free = await occupy(Number(new URL(redirect).port));
      const left = (await readdir(home.path, { recursive: true }))
        .filter((name) =>
          !/^(log(\/codex-login\.log)?|codex-login|auth(\.json)?\.lock)$/.test(name)
        );
      assert.deepEqual(left, []);
      assertNoSecrets(
        ended.stdout + ended.stderr.replaceAll(authUrl, "") + await home.textOutsideAuth(),
        issuer,
        authUrl,
      );
      never.resolve();
    }
  },
);

verifies(
  "S67",
  `${SUBJECT}: a second signal waits for nothing that is only to be shown`,
  SLOW,
  async () => {
    // A machine that is held up lets the second for which the page is there pass by itself.
    for (let attempt = 0; attempt < 5; attempt++) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using program = startLogin(home, issuer);
      await get(await obtainCallback(await program.authUrl()));
      await program.shows(/Signed in as ada@example\.com/);
      program.kill("SIGINT");
      // What comes within a tenth of a second is the same one.
      await sleep(150);
      program.kill("SIGINT");
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 0, stderr);
      if (!/page delivery/.test(await home.textOutsideAuth())) return;
    }
    assert.fail("each of them waited for its page");
  },
);

verifies(
  "S62",
  `${SUBJECT}: a key is not read from a terminal, which would show it`,
  { ...SLOW, skip: missingTool("tmux", "-V") },
  async () => {
    await using home = await createHome();
    using terminal = startTerminal(home, { columns: 200 });
    for (const flag of ["--with-api-key", "--with-access-token"]) {
      terminal.run("login", flag);
      await terminal.shows(new RegExp(`STDIN_TERMINAL\\]: ${flag} reads[^]*exit=2`));
    }
    assert.ok(!(await home.list()).includes("auth.json"));
  },
);
