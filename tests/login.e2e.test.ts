import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { type Misbehaviour, startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import {
  type Ended,
  type Program,
  programCommand,
  programEnvironment,
  runProgram,
  startLogin,
  startProgram,
  SUBJECT,
} from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { CA_PATH, obtainCallbackByTls, TLS } from "./testing/tls.ts";
import { until } from "./testing/until.ts";
import { ADA, BOB, OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const OLD_KEY = {
  auth_mode: "apikey",
  OPENAI_API_KEY: "sk-old-key-0123456789",
  mine: { kept: true },
};
const SLOW = { timeout: 120_000 };

/** Thirty seconds that nothing can shorten: they pass while the other tests of this file run. */
let hanging: ReturnType<typeof exchangeAtHangingIssuer> | undefined;

async function exchangeAtHangingIssuer(): Promise<
  { issuer: TestIssuer; home: TestHome; program: Program; reply: ReturnType<typeof get> }
> {
  const issuer = await startIssuer();
  const home = await createHome();
  issuer.misbehave.token = { hang: true };
  const program = startLogin(home, issuer);
  const reply = get(await obtainCallback(await program.authUrl()));
  return { issuer, home, program, reply };
}

verifies("S29", `${SUBJECT}: an issuer that hangs keeps a login waiting`, SLOW, async () => {
  const { issuer, program } = await (hanging ??= exchangeAtHangingIssuer());
  while (issuer.asked("token").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.doesNotMatch(program.stderr(), /error\[/);
});

function assertEnded({ exitCode, stderr, signal }: Ended, expected: number): void {
  assert.equal(exitCode, expected, `${signal}\n${stderr}`);
}

/** The failure is told on stderr alone, nothing was stored or changed, and no secret is anywhere. */
async function assertFailed(
  { program, issuer, home, before }: {
    program: Program;
    issuer: TestIssuer;
    home: TestHome;
    before: string | undefined;
  },
  code: string,
  exitCode: number,
): Promise<void> {
  const ended = await program.ended;
  assertEnded(ended, exitCode);
  assert.match(ended.stderr, new RegExp(`^error\\[${code}\\]: .+`, "m"));
  assert.equal(ended.stdout, "");
  assert.equal(await home.readAuth().catch(() => undefined), before);
  assert.ok(!(await home.list()).some((name) => name.endsWith(".tmp")));
  const authUrl = /^http\S+authorize\S+$/m.exec(ended.stderr)?.[0];
  assertNoSecrets(
    ended.stderr.replace(authUrl ?? "", "") + await home.textOutsideAuth(),
    issuer,
    authUrl,
  );
}

test(
  `${SUBJECT}: a sign-in over stale credentials in a home that does not exist yet`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const fresh = join(home.path, "not", "yet");
    const first = startLogin(home, issuer, ["--codex-home", fresh]);
    const steps = await visit(await first.authUrl());
    assert.deepEqual(steps.map(({ reply }) => reply.status), [302, 303, 200]);
    assertEnded(await first.ended, 0);
    assert.equal((await stat(fresh)).mode & 0o777, 0o700);
    assertReferenceReads(await readFile(join(fresh, "auth.json"), "utf8"));

    await home.writeAuth(OLD_KEY);
    const second = startLogin(home, issuer);
    const authUrl = await second.authUrl();
    await visit(authUrl);
    const ended = await second.ended;
    assertEnded(ended, 0);
    assert.equal(ended.stdout, "");
    const file = assertReferenceReads(await home.readAuth());
    assert.equal(file["auth_mode"], "chatgpt");
    assert.deepEqual(file["mine"], { kept: true });
    assert.match(String(file["OPENAI_API_KEY"]), /^sk-test_/);
    assert.equal(await home.mode("auth.json"), "600");
    assert.ok(!(await home.readAuth()).endsWith("\n"));
    assertNoSecrets(
      ended.stderr.replace(authUrl, "") + await home.textOutsideAuth(),
      issuer,
      authUrl,
    );
    for (const { reply } of steps.slice(1)) assertNoSecrets(JSON.stringify(reply), issuer, authUrl);

    const status = await runProgram(home, ["status", "--json"]);
    assertEnded(status, 0);
    assert.equal(JSON.parse(status.stdout).account.email, "ada@example.com");
    assertEnded(await runProgram(home, ["logout"]), 0);
    assert.equal(issuer.liveRefreshTokens.size, 1);
    assertEnded(await runProgram(home, ["login", "status"]), 1);
  },
);

verifies(
  "S4",
  `${SUBJECT}: a wrong state goes by, the right one signs in, and nobody has to follow the redirect`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const callback = await obtainCallback(await program.authUrl());
    assert.equal((await get(callback.replace(/state=[^&]+/, "state=WRONG"))).status, 400);
    assert.equal((await get(new URL("/success", callback).href)).status, 404);
    assert.equal((await get(callback)).status, 303);
    assertEnded(await program.ended, 0);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  },
);

test(`${SUBJECT}: access_denied, with and without missing_codex_entitlement`, SLOW, async () => {
  for (
    const [description, code] of [["no", "ACCESS_DENIED"], [
      "missing_codex_entitlement",
      "ENTITLEMENT",
    ]]
  ) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth(OLD_KEY);
    const before = await home.readAuth();
    await using program = startLogin(home, issuer);
    const callback = new URL(await obtainCallback(await program.authUrl()));
    callback.searchParams.delete("code");
    callback.searchParams.set("error", "access_denied");
    callback.searchParams.set("error_description", description ?? "");
    assert.equal((await get(callback.href)).status, 403);
    await assertFailed({ program, issuer, home, before }, code ?? "", 1);
    assert.match(program.stderr(), /note: {2}your earlier login is untouched/);
  }
});

const TOKEN_ENDPOINT: [name: string, wrong: Misbehaviour, code: string, exitCode: number][] = [
  [
    "400 JSON",
    { status: 400, body: '{"error":"invalid_grant","error_description":"gone"}' },
    "TOKEN_ENDPOINT",
    1,
  ],
  [
    "400 nested",
    { status: 400, body: '{"error":{"message":"nested words"}}' },
    "TOKEN_ENDPOINT",
    1,
  ],
  [
    "500 HTML",
    { status: 500, body: "<html>", headers: { "content-type": "text/html" } },
    "ISSUER_FAULT",
    1,
  ],
  ["malformed", { status: 200, body: "{" }, "TOKEN_RESPONSE_INVALID", 1],
  ["reset", { reset: true }, "CONNECTION_RESET", 5],
  ...["id_token", "access_token", "refresh_token"].map((
    name,
  ): [string, Misbehaviour, string, number] => [
    `no ${name}`,
    { change: ({ [name]: _, ...rest }) => rest },
    "TOKEN_RESPONSE_INVALID",
    1,
  ]),
];

verifies(
  ["S32", "S47"],
  `${SUBJECT}: every failure of the token endpoint is told, and nothing is saved`,
  SLOW,
  async (t) => {
    for (const [name, wrong, code, exitCode] of TOKEN_ENDPOINT) {
      await t.test(name, async () => {
        await using issuer = await startIssuer();
        await using home = await createHome();
        issuer.misbehave.token = wrong;
        await using program = startLogin(home, issuer);
        const steps = await visit(await program.authUrl());
        assert.equal(steps.at(-1)?.reply.status, 502);
        await assertFailed({ program, issuer, home, before: undefined }, code, exitCode);
      });
    }
  },
);

test(`${SUBJECT}: an issuer that is gone is tried again, then told`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer);
  const callback = await obtainCallback(await program.authUrl());
  await issuer[Symbol.asyncDispose]();
  assert.equal((await get(callback)).status, 502);
  assert.match(program.stderr(), /CONNECT_REFUSED\); trying again/);
  await assertFailed({ program, issuer, home, before: undefined }, "CONNECT_REFUSED", 5);
});

verifies(
  "S33",
  `${SUBJECT}: an https issuer is trusted by its CA alone, whatever the environment says`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({ tls: TLS });
    for (const isTrusted of [true, false]) {
      await using home = await createHome();
      await using program = startProgram(home, [
        "login",
        "--issuer",
        issuer.url,
        "--port",
        "0",
        "--no-browser",
      ], {
        env: isTrusted ? { NODE_EXTRA_CA_CERTS: CA_PATH } : { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      });
      const callback = await obtainCallbackByTls(await program.authUrl());
      assert.equal((await get(callback)).status, isTrusted ? 303 : 502);
      if (isTrusted) assertEnded(await program.ended, 0);
      else await assertFailed({ program, issuer, home, before: undefined }, "TLS_UNTRUSTED", 5);
    }
    assert.equal(issuer.asked("token").length, 1);
  },
);

test(`${SUBJECT}: a workspace that was not expected saves nothing`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer, ["--expect-workspace", "acct-9"]);
  await visit(await program.authUrl());
  await assertFailed({ program, issuer, home, before: undefined }, "WORKSPACE_MISMATCH", 1);
});

test(
  `${SUBJECT}: an organization to set up is offered on the page and waited for`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({ users: [OLA] });
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const [, , page] = await visit(await program.authUrl());
    const [path = ""] = /\/setup\/[\w-]{22}/.exec(page?.reply.body ?? "") ?? [];
    const go = await get(new URL(path, page?.url).href);
    assert.match(
      String(go.headers["location"]),
      /^https:\/\/platform\.api\.openai\.org\/org-setup\?p=business&t=/,
    );
    assertEnded(await program.ended, 0);
  },
);

verifies(
  "S66",
  `${SUBJECT}: a browser that cannot be opened, exits 3 or hangs is a note at most`,
  SLOW,
  async () => {
    const rows: [body: string | undefined, note: RegExp | undefined][] = [
      [undefined, /No browser could be opened \(.*not found\)/],
      ["exit 3", /No browser could be opened \(.*ended with 3\)/],
      ["exec sleep 20", undefined],
    ];
    for (const [body, note] of rows) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const browser = join(home.path, "browser");
      if (body) {
        // The number is there whole or not at all.
        const say = 'echo "$$" > "$0.part" && mv "$0.part" "$0.pid"';
        await writeFile(browser, `#!/bin/sh\n${say}\n${body}\n`);
        await chmod(browser, 0o755);
      }
      await using program = startProgram(
        home,
        ["--issuer", issuer.url, "--port", "0"],
        { env: { BROWSER: browser } },
      );
      const authUrl = await program.authUrl();
      if (note) await program.shows(note);
      await visit(authUrl);
      assertEnded(await program.ended, 0);
      if (body?.startsWith("exec")) {
        await until("the browser runs", () => existsSync(`${browser}.pid`));
        process.kill(Number(await readFile(`${browser}.pid`, "utf8")), "SIGKILL");
      }
    }
  },
);

test(
  `${SUBJECT}: a $BROWSER that is no program is a note, and the login goes on`,
  SLOW,
  async () => {
    await using home = await createHome();
    for (const value of [":::", "/etc/passwd/x", "%s", '"', "\u001b]0;x"]) {
      await using issuer = await startIssuer();
      await using program = startProgram(home, ["--issuer", issuer.url, "--port", "0"], {
        env: { BROWSER: value },
      });
      await visit(await program.authUrl());
      const ended = await program.ended;
      assertEnded(ended, 0);
      assert.ok(!ended.stderr.includes("\x1b"), ended.stderr);
    }
  },
);

verifies(
  ["S62", "S66"],
  `${SUBJECT}: the browser is given the address and no secret in its environment`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const browser = join(home.path, "browser");
    await writeFile(
      browser,
      `#!/bin/sh\nenv > "${home.path}/env"; printf '%s' "$1" > "${home.path}/url"\n`,
    );
    await chmod(browser, 0o755);
    await using program = startProgram(home, [
      "login",
      "--issuer",
      issuer.url,
      "--port",
      "0",
      "--browser",
      browser,
    ]);
    const authUrl = await program.authUrl();
    // Its last line; what is empty is being written.
    const opened = (): Promise<string> => readFile(join(home.path, "url"), "utf8").catch(() => "");
    while (await opened() === "") await new Promise((resolve) => setTimeout(resolve, 5));
    await visit(authUrl);
    assertEnded(await program.ended, 0);
    assert.equal(await opened(), authUrl);
    assertNoSecrets(await readFile(join(home.path, "env"), "utf8"), issuer, authUrl);
  },
);

verifies(
  "S27",
  `${SUBJECT}: strangers on both ports are named, sent nothing, and the login says so at once`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using first = await occupy(1455);
    {
      await using program = startProgram(home, ["login", "--issuer", issuer.url, "--no-browser"]);
      const authUrl = await program.authUrl();
      assert.match(
        decodeURIComponent(authUrl),
        /redirect_uri=http:\/\/127\.0\.0\.1:1457\/auth\/callback/,
      );
      assert.match(program.stderr(), /Port 1455 is held by .+; using 1457\./);
      await visit(authUrl);
      assertEnded(await program.ended, 0);
    }
    await rm(home.authPath);
    await using second = await occupy(1457);
    const program = startProgram(home, ["login", "--issuer", issuer.url]);
    await assertFailed({ program, issuer, home, before: undefined }, "PORT_BUSY", 1);
    assert.deepEqual([...first.received, ...second.received], []);
    assert.equal(first.connections + second.connections, 0);
  },
);

verifies(
  "S28",
  `${SUBJECT}: a second login is given the port, and the first says who took over`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const args = ["login", "--issuer", issuer.url, "--no-browser"];
    await using first = startProgram(home, args);
    await first.authUrl();
    await using second = startProgram(home, args);
    const authUrl = await second.authUrl();
    const ended = await first.ended;
    assertEnded(ended, 1);
    assert.match(ended.stderr, /error\[SUPERSEDED\]: A newer sign-in took over/);
    assert.match(decodeURIComponent(authUrl), /:1455\/auth\/callback/);
    await visit(authUrl);
    assertEnded(await second.ended, 0);
  },
);

verifies(
  ["S17", "S28"],
  `${SUBJECT}: the reference's own request makes a login give way; a browser's does not`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const port =
      new URL(new URL(await program.authUrl()).searchParams.get("redirect_uri") ?? "").port;
    const cancel = `http://127.0.0.1:${port}/cancel`;
    assert.equal(
      (await get(cancel, { headers: { connection: "close", "user-agent": "Mozilla/5.0" } })).status,
      403,
    );
    assert.equal((await get(cancel, { headers: { connection: "close" } })).status, 200);
    await assertFailed({ program, issuer, home, before: undefined }, "SUPERSEDED", 1);
  },
);

verifies(
  "S48",
  `${SUBJECT}: another user's earlier login is revoked after the new one is saved`,
  SLOW,
  async () => {
    await using bobs = await startIssuer({ users: [BOB] });
    await using adas = await startIssuer({ users: [ADA] });
    await using home = await createHome();
    for (const issuer of [bobs, adas]) {
      await using program = startLogin(home, issuer);
      await visit(await program.authUrl());
      assertEnded(await program.ended, 0);
    }
    assert.equal(bobs.liveRefreshTokens.size, 0);
    assert.equal(adas.liveRefreshTokens.size, 1);
  },
);

verifies(
  "S67",
  `${SUBJECT}: SIGINT, SIGTERM and SIGHUP end a waiting login cleanly, with their own exit codes`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth(OLD_KEY);
    const before = await home.readAuth();
    for (
      const [signal, code, exitCode] of [["SIGINT", "INTERRUPTED", 130], [
        "SIGTERM",
        "TERMINATED",
        143,
      ], ["SIGHUP", "HANGUP", 129]] as const
    ) {
      await using program = startLogin(home, issuer);
      const authUrl = await program.authUrl();
      program.kill(signal);
      await assertFailed({ program, issuer, home, before }, code, exitCode);
      const port = Number(new URL(new URL(authUrl).searchParams.get("redirect_uri") ?? "").port);
      await using _free = await occupy(port);
      assert.match(await home.textOutsideAuth(), new RegExp(`command failed code=${code}`));
    }
  },
);

test(
  `${SUBJECT}: signals that come together are one, and the login says how it ended`,
  SLOW,
  async () => {
    // A terminal that is closed, and what a shell and an npm hand on.
    for (const signals of [["SIGHUP", "SIGTERM"], ["SIGINT", "SIGHUP", "SIGTERM"]] as const) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using program = startLogin(home, issuer);
      await program.authUrl();
      for (const signal of signals) program.kill(signal);
      const { exitCode, stderr } = await program.ended;
      // Which comes first is the system's choice.
      const [, code = ""] = /^error\[(INTERRUPTED|HANGUP|TERMINATED)\]/m.exec(stderr) ?? [];
      assert.equal(exitCode, { INTERRUPTED: 130, HANGUP: 129, TERMINATED: 143 }[code], stderr);
      assert.match(await home.textOutsideAuth(), new RegExp(`command failed code=${code}`));
    }
  },
);

verifies(
  "S67",
  `${SUBJECT}: a signal during the exchange ends the login; after the save it is a success`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const gate = deferred<void>();
    issuer.misbehave.token = { after: gate.promise };
    {
      await using program = startLogin(home, issuer);
      const reply = get(await obtainCallback(await program.authUrl())).catch(() => {});
      while (issuer.asked("token").length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      program.kill("SIGINT");
      await assertFailed({ program, issuer, home, before: undefined }, "INTERRUPTED", 130);
      gate.resolve();
      await reply;
    }
    delete issuer.misbehave.token;
    issuer.misbehave.apiKey = { hang: true };
    await using program = startLogin(home, issuer);
    await get(await obtainCallback(await program.authUrl()));
    await program.shows(/Signed in as ada@example\.com/);
    program.kill("SIGINT");
    program.kill("SIGTERM");
    assertEnded(await program.ended, 0);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  },
);

verifies(
  "S26",
  `${SUBJECT}: a login that nobody completes ends in time with exit code 6`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer, ["--timeout", "200ms"]);
    await assertFailed({ program, issuer, home, before: undefined }, "LOGIN_TIMEOUT", 6);
  },
);

test(`${SUBJECT}: --json gives programs one object a line`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer, ["--json", "--quiet"]);
  await program.shows(/\n/);
  const { event, authUrl, port } = JSON.parse(program.stdout().split("\n")[0] ?? "");
  assert.equal(event, "waiting");
  assert.ok(decodeURIComponent(authUrl).includes(`:${port}/`));
  await visit(authUrl);
  const ended = await program.ended;
  assertEnded(ended, 0);
  assert.equal(ended.stderr, "");
  const lines = ended.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.event), ["waiting", "completed"]);
  assert.deepEqual(lines[1].account, {
    email: "ada@example.com",
    plan: "plus",
    accountId: "acct-1111",
    userId: "user-ada",
  });
});

verifies("S62", `${SUBJECT}: an API key comes by stdin, and never shows`, SLOW, async () => {
  await using home = await createHome();
  const key = "sk-proj-0123456789abcdefghijklmnop";
  const saved = await runProgram(home, ["login", "--with-api-key"], { input: `${key}\n` });
  assertEnded(saved, 0);
  assert.equal((await home.authJson())["OPENAI_API_KEY"], key);
  const status = await runProgram(home, ["status"]);
  assertEnded(status, 0);
  assert.ok(![saved.stderr, saved.stdout, status.stderr, status.stdout].join("").includes(key));
  assertEnded(await runProgram(home, ["login", "--with-api-key"], { input: "" }), 1);
  assertEnded(
    await runProgram(home, ["login", "--with-api-key"], { input: "x".repeat(100_000) }),
    1,
  );
  assert.equal((await home.authJson())["OPENAI_API_KEY"], key);
});

verifies("S53", `${SUBJECT}: twelve logins at once leave one of them, whole`, SLOW, async () => {
  await using home = await createHome();
  const keys = Array.from({ length: 12 }, (_, i) => `sk-proj-${String(i).repeat(40)}`);
  const all = await Promise.all(
    keys.map((input) => runProgram(home, ["login", "--with-api-key"], { input })),
  );
  for (const ended of all) assertEnded(ended, 0);
  const file = assertReferenceReads(await home.readAuth());
  assert.ok(keys.includes(String(file["OPENAI_API_KEY"])));
  assert.ok(!(await home.list()).some((name) => name.endsWith(".tmp")));
});

verifies(
  "S54",
  `${SUBJECT}: a home that cannot be written is told before anything opens`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const locked = join(home.path, "locked");
    await mkdir(locked, { mode: 0o755 });
    // Root may write anywhere, so the program runs as somebody else then; the folder stays ours.
    const isRoot = process.getuid?.() === 0;
    await chmod(home.path, 0o755);
    if (!isRoot) await chmod(locked, 0o500);
    const ended = await runProgram(home, [
      "login",
      "--issuer",
      issuer.url,
      "--port",
      "0",
      "--codex-home",
      locked,
    ], {
      wrapper: isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [],
      cwd: "/",
    });
    assertEnded(ended, 3);
    assert.match(ended.stderr, /error\[SAVE_FAILED\]: [^]*cause: permission denied \(EACCES\)/);
    assert.ok(!ended.stderr.includes("/oauth/authorize"));
    assert.equal(issuer.requests.length, 0);
  },
);

test(
  `${SUBJECT}: on a terminal words are plain or coloured as asked, and the address is a link`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const inTerminal = async (env: Record<string, string>, ...args: string[]): Promise<string> => {
      const command = [
        ...programCommand(),
        "login",
        "--issuer",
        issuer.url,
        "--port",
        "0",
        "--no-browser",
      ];
      const line = [...command, "--timeout", "100ms", ...args].map((part) => `'${part}'`).join(" ");
      const child = spawn("script", ["-qec", line, "/dev/null"], {
        env: programEnvironment(home, { TERM: "xterm", ...env }),
        stdio: ["ignore", "pipe", "ignore"],
      });
      let shown = "";
      child.stdout.on("data", (chunk) => shown += chunk);
      assert.equal(await new Promise((resolve) => child.once("close", resolve)), 6);
      return shown;
    };
    const coloured = await inTerminal({});
    assert.ok(coloured.includes("\x1b[1;31merror[LOGIN_TIMEOUT]\x1b[0m: Nobody"));
    assert.ok(coloured.includes(`\x1b]8;;${issuer.url}/oauth/authorize?`));
    const uncoloured = await inTerminal({ NO_COLOR: "1" });
    // deno-lint-ignore no-control-regex -- a colour begins with one
    assert.ok(!/\x1b\[[\d;]*m/.test(uncoloured) && uncoloured.includes("\x1b]8;;"));
    for (const plain of [await inTerminal({}, "--plain"), await inTerminal({ TERM: "dumb" })]) {
      assert.ok(!plain.includes("\x1b"), plain);
    }
  },
);

test(`${SUBJECT}: data that cannot be written is not lost in silence`, {
  ...SLOW,
  skip: process.platform !== "linux" && "only Linux has /dev/full",
}, async () => {
  await using home = await createHome();
  const line = programCommand().map((part) => `'${part}'`).join(" ");
  const child = spawn("sh", ["-c", `${line} status --json > /dev/full`], {
    env: programEnvironment(home),
    stdio: "ignore",
  });
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 3);
});

test(`${SUBJECT}: help, version and wrong usage`, SLOW, async () => {
  await using home = await createHome();
  const help = await runProgram(home, ["--help"]);
  assertEnded(help, 0);
  assert.match(help.stdout, /Usage: codex-login/);
  assert.equal(help.stderr, "");
  assert.match((await runProgram(home, ["--version"])).stdout, /^codex-login \d+\.\d+\.\d+\n$/);
  const wrong = await runProgram(home, ["--bogus"]);
  assertEnded(wrong, 2);
  assert.equal(wrong.stdout, "");
  assert.deepEqual(await home.list(), []);
});

verifies(
  "S29",
  `${SUBJECT}: an issuer that hangs is given up after 30 s, and the browser gets its page`,
  SLOW,
  async () => {
    const { issuer, home, program, reply } = await (hanging ??= exchangeAtHangingIssuer());
    await using _issuer = issuer;
    await using _home = home;
    await using _program = program;
    assert.equal((await reply).status, 504);
    await assertFailed({ program, issuer, home, before: undefined }, "RESPONSE_TIMEOUT", 5);
  },
);
