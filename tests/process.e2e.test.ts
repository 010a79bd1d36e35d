import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import { runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { missingTool } from "./testing/tools.ts";
import { until } from "./testing/until.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
const LINUX = { ...SLOW, skip: process.platform !== "linux" && "only Linux has /proc" };
const TRACED = { ...SLOW, skip: missingTool("strace", "-V") };
const IS_DENO = SUBJECT === "source" && "Deno" in globalThis;
const IS_BUN_SOURCE = SUBJECT === "source" && "Bun" in globalThis;

/** What /proc tells of a process and all that it started: words for everybody of this user to read. */
async function readFamily(pid: number): Promise<string> {
  const texts = ["cmdline", "environ", "comm"].map((name) =>
    readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")
  );
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")),
  );
  const families = children.join(" ").split(/\s+/).filter(Boolean).map((child) =>
    readFamily(Number(child))
  );
  return (await Promise.all([...texts, ...families])).join("\n");
}

verifies(
  "S62",
  `${SUBJECT}: no argument, title or environment of it, or of what it starts, holds a secret`,
  LINUX,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { tokens } = await storeLogin(home, issuer, 3_600);
    issuer.misbehave.token = { hang: true };
    const browser = join(home.path, "browser");
    await writeFile(browser, "#!/bin/sh\nexec sleep 60\n");
    await chmod(browser, 0o755);
    await using program = startProgram(home, [
      ...["login", "--issuer", issuer.url, "--port", "0", "--browser", browser],
    ], { env: { DISPLAY: ":0" } });
    const authUrl = await program.authUrl();
    visit(authUrl).catch(() => {});
    while (issuer.asked("token").length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // The browser may be opened after the request is made.
    let family = "";
    await until("the browser runs", async () => {
      family = await readFamily(program.child.pid ?? 0);
      return /\bsleep\b/.test(family);
    });
    assertNoSecrets(family.replaceAll(authUrl, ""), issuer, authUrl);
    for (const token of Object.values(tokens)) assert.ok(!family.includes(token));
    program.kill("SIGTERM");
    assert.equal((await program.ended).exitCode, 143);
  },
);

verifies(
  "S66",
  `${SUBJECT}: a $BROWSER with a shell's signs is taken for words, and nothing of it is run`,
  { ...SLOW, skip: process.platform === "win32" && "$BROWSER is not Windows'" },
  async () => {
    for (
      const command of [
        "true; touch owned",
        "true $(touch owned) `touch owned`",
        "sh -c 'exit 0' && touch owned",
        "/nowhere/x | touch owned",
        '"unclosed $(touch owned)',
      ]
    ) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const args = ["login", "--issuer", issuer.url, "--port", "0"];
      await using program = startProgram(home, args, {
        env: { DISPLAY: ":0", BROWSER: command },
      });
      await visit(await program.authUrl());
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.ok(!(await home.list()).includes("owned"), command);
    }
  },
);

verifies(
  "S68",
  `${SUBJECT}: no core can be dumped of a login that waits`,
  {
    ...LINUX,
    skip: LINUX.skip ||
      (!IS_BUN_SOURCE && SUBJECT !== "executable" && "only Bun can call the system for it"),
  },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    await program.authUrl();
    const limits = await readFile(`/proc/${program.child.pid}/limits`, "utf8");
    assert.match(limits, /^Max core file size +0 +0 /m);
    // A process that cannot be dumped has no pages that root would see either, once it is dead.
    assert.equal((await stat(`/proc/${program.child.pid}/mem`)).uid, 0);
  },
);

verifies(
  "S69",
  `${SUBJECT}: a crash prints no secret and tells nobody`,
  { ...LINUX, skip: LINUX.skip || missingTool("prlimit", "--version") },
  async () => {
    // Deno lets the others pass when no fault of memory has caused them.
    const signals = IS_DENO ? ["SIGABRT"] as const : ["SIGSEGV", "SIGABRT", "SIGBUS"] as const;
    for (const signal of signals) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using listener = await occupy(0);
      // What Bun reports a crash with, where it does.
      const tools = join(home.path, "tools");
      await mkdir(tools);
      await writeFile(join(tools, "curl"), `#!/bin/sh\ntouch "${home.path}/told"\n`);
      await chmod(join(tools, "curl"), 0o755);
      issuer.misbehave.token = { hang: true };
      await using program = startLogin(home, issuer, [], {
        // Without this each Deno that is killed would leave its memory where it was started.
        wrapper: ["prlimit", "--core=0"],
        env: {
          HTTPS_PROXY: `http://127.0.0.1:${listener.port}`,
          PATH: `${tools}:${process.env["PATH"]}`,
        },
      });
      const authUrl = await program.authUrl();
      visit(authUrl).catch(() => {});
      while (issuer.asked("token").length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      program.kill(signal);
      const { exitCode, stdout, stderr } = await program.ended;
      assert.notEqual(exitCode, 0);
      assertNoSecrets(
        stdout + stderr.replaceAll(authUrl, "") + await home.textOutsideAuth(),
        issuer,
        authUrl,
      );
      assert.equal(listener.connections, 0);
      assert.ok(!(await home.list()).some((name) => /^core|auth\.json$|^told$/.test(name)));
    }
  },
);

/** The ports and the sockets that a command connected to. */
async function connectionsOf(
  home: TestHome,
  issuer: TestIssuer,
  args: readonly string[],
): Promise<string[]> {
  const trace = join(home.path, "trace");
  await using program = startProgram(home, args, {
    wrapper: ["strace", "-f", "-qq", "-e", "trace=connect", "-o", trace],
    cwd: "/",
  });
  if (args[0] === "login") await visit(await program.authUrl());
  const ended = await program.ended;
  assert.ok(ended.exitCode === 0 || args[0] === "doctor", ended.stderr);
  const found = (await readFile(trace, "utf8")).matchAll(
    /connect\(\d+, \{sa_family=(AF_\w+)(?:.*?sin6?_port=htons\((\d+)\)|.*?sun_path=@?"([^"]*)")/g,
  );
  return [...found].map(([, family = "", port = "", path = ""]) =>
    port === new URL(issuer.url).port ? "issuer" : `${family} ${port}${path}`
  );
}

verifies(
  "S72",
  `${SUBJECT}: nobody but the issuer is contacted, by any command but version --check`,
  TRACED,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const login = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"];
    const rows: [args: string[], who: string[]][] = [
      [login, ["issuer"]],
      [["status"], []],
      [["token"], []],
      [["refresh"], ["issuer"]],
      [["logout"], ["issuer"]],
      // With --check it asks the npm registry: see version.e2e.test.ts.
      [["version"], []],
      [["version", "--json"], []],
      [["help"], []],
      [["completion", "bash"], []],
      [["licenses"], []],
    ];
    for (const [args, who] of rows) {
      const asked = await connectionsOf(home, issuer, args);
      // Name servers and their caches are the system's, and 127.0.0.1 needs none.
      assert.deepEqual([...new Set(asked)], who, args[0]);
    }
    // The doctor tries its own listener out as well, and looks names up; all of it stays on this machine.
    const asked = await connectionsOf(home, issuer, ["doctor", "--issuer", issuer.url]);
    assert.ok(asked.includes("issuer"));
    const trace = await readFile(join(home.path, "trace"), "utf8");
    const peers = trace.matchAll(/sin6?_port=.*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"/g);
    const foreign = [...peers].flatMap(([, peer = ""]) => /^(127\.|::1$)/.test(peer) ? [] : [peer]);
    assert.deepEqual(foreign, []);
  },
);

verifies(
  ["S65", "S69"],
  `${SUBJECT}: what is not understood is told without control characters, and without what it was`,
  SLOW,
  async () => {
    await using home = await createHome();
    const hostile = "\u001b]0;x\u0007\u202e\u009b";
    for (
      const args of [
        ["login", `--${hostile}`],
        [hostile],
        ["login", "--issuer", `https://${hostile}`],
        ["-c", `cli_auth_credentials_store="${hostile}"`, "status"],
        ["status", "--codex-home", `/nowhere/${hostile}`],
      ]
    ) {
      const { stdout, stderr } = await runProgram(home, args);
      assert.doesNotMatch((stdout + stderr).replace(/\n/g, ""), /\p{Cc}|\p{Cf}/u, args.join(" "));
      assert.doesNotMatch(stderr, /\bat .+:\d+:\d+|TypeError|INTERNAL/);
    }
  },
);

verifies(
  "S63",
  `${SUBJECT}: in place of the log or its folder no link is followed, and the login goes on`,
  { ...SLOW, skip: process.platform === "win32" && "links are an administrator's there" },
  async () => {
    for (const place of ["log/codex-login.log", "log/codex-login.log.1"]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const victim = join(home.path, "victim");
      await writeFile(victim, "theirs", { mode: 0o644 });
      await mkdir(join(home.path, "log"));
      await symlink(victim, join(home.path, place));
      if (place.endsWith(".1")) {
        const full = "o".repeat((1 << 20) + 1);
        await writeFile(join(home.path, "log/codex-login.log"), full, { mode: 0o666 });
      }
      await using program = startLogin(home, issuer);
      await visit(await program.authUrl());
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 0, stderr);
      assert.equal(await readFile(victim, "utf8"), "theirs");
      assert.equal(await home.mode("victim"), "644");
      if (!place.endsWith(".1")) assert.match(stderr, /The log .* cannot be written/);
      else assert.equal(await home.mode("log/codex-login.log.1"), "600");
    }
  },
);
