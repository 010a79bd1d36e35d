import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get, sendRaw } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { type Program, startLogin, SUBJECT } from "./testing/program.ts";
import { missingRoot } from "./testing/tools.ts";
import { OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const OPTIONS = { timeout: 60_000 };

const AS_ROOT = {
  ...OPTIONS,
  skip: missingRoot(),
};

interface Script {
  /** Resolves when it has printed a line. */
  readonly ready: Promise<unknown>;
  /** Gives it the line that it reads. */
  goOn(): void;
  /** Resolves with what it printed. */
  readonly printed: Promise<string>;
}

/** Runs this script as another user. */
function startAsNobody(script: string): Script {
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script];
  const child = spawn("setpriv", nobody, { cwd: "/", stdio: ["pipe", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stdin.on("error", () => {});
  const printed = new Promise<string>((resolve) => child.once("close", () => resolve(text)));
  const line = new Promise((resolve) => child.stdout.once("data", resolve));
  return {
    ready: Promise.race([line, printed]),
    goOn: () => void child.stdin.end("\n"),
    printed,
  };
}

/** For printf(1), which has its own reading of percent signs. */
const printedRequest = (port: number, path: string): string =>
  `GET ${path.replaceAll("%", "%%")} HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\n` +
  "Connection: close\\r\\n\\r\\n";

/**
 * A process of another user that makes a request when it is told to go on, and one after the other if there are more. All
 * that takes time is done before: a login that is done waits for a second only.
 */
async function prepareAsNobody(port: number, ...paths: string[]): Promise<Script> {
  const open = paths.map((_, i) => `exec ${i + 3}<>/dev/tcp/127.0.0.1/${port}; `);
  const ask = paths.map((path, i) =>
    `; printf '${printedRequest(port, path)}' >&${i + 3}; ` +
    `while IFS= read -r -t 5 line <&${i + 3} || [ -n "$line" ]; do printf '%s\\n' "$line"; done`
  );
  const script = startAsNobody(`${open.join("")}echo ready; read -r _${ask.join("")}`);
  await script.ready;
  return script;
}

/** What a process of another user gets for one request. */
async function askAsNobody(port: number, path: string): Promise<string> {
  const script = await prepareAsNobody(port, path);
  script.goOn();
  return (await script.printed).replace(/^ready\n/, "");
}

async function portOf(program: Program): Promise<number> {
  const redirectUri = new URL(await program.authUrl()).searchParams.get("redirect_uri") ?? "";
  return Number(new URL(redirectUri).port);
}

verifies(
  ["S4", "S5", "S14", "S15", "S16", "S17", "S19"],
  `${SUBJECT}: each foreign request gets its status, hardened, and the login goes on`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const origin = `http://127.0.0.1:${await portOf(program)}`;
    const callback = "/auth/callback?code=c&state=s";
    const rows: [path: string, options: Parameters<typeof get>[1], status: number][] = [
      [callback, {}, 400],
      ["/auth/callback", {}, 400],
      ["/auth/callback?error=access_denied", {}, 400],
      ["/success", {}, 404],
      ["/", {}, 404],
      ["/favicon.ico", {}, 404],
      ["/auth/callback/", {}, 404],
      ["/setup/guess", {}, 404],
      [callback, { method: "POST" }, 405],
      [callback, { method: "PUT" }, 405],
      [callback, { method: "DELETE" }, 405],
      [callback, { method: "OPTIONS" }, 405],
      [callback, { method: "HEAD" }, 405],
      [callback, { method: "PUT", body: "abc" }, 405],
      [callback, { body: "abc" }, 413],
      [callback, { headers: { host: "evil.test" } }, 421],
      [callback, { headers: { host: "rebind.test:1455" } }, 421],
      [callback, { headers: { origin: "https://evil.test" } }, 403],
      [callback, { headers: { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" } }, 403],
      [callback, { headers: { "sec-purpose": "prefetch" } }, 403],
      ["/cancel", { headers: { accept: "*/*" } }, 403],
      ["/cancel", { headers: { connection: "close", "user-agent": "Mozilla/5.0" } }, 403],
    ];
    for (const [path, options, status] of rows) {
      const reply = await get(origin + path, options);
      assert.equal(reply.status, status, `${path} ${JSON.stringify(options)}`);
      assert.equal(reply.headers["cache-control"], "no-store");
      assert.match(String(reply.headers["content-security-policy"]), /^default-src 'none'/);
      assert.equal(reply.headers["server"], undefined);
    }
    await visit(await program.authUrl());
    assert.equal((await program.ended).exitCode, 0);
  },
);

verifies(
  ["S14", "S22", "S25"],
  `${SUBJECT}: malformed bytes are refused without a stack, and the login goes on`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const port = await portOf(program);
    const host = `Host: 127.0.0.1:${port}`;
    const target = "/auth/callback?code=c&state=s";
    const rows: Record<string, string> = {
      "no Host": `GET ${target} HTTP/1.0\r\n\r\n`,
      "two Hosts": `GET ${target} HTTP/1.1\r\n${host}\r\nHost: evil.test\r\n\r\n`,
      "two Hosts, ours last": `GET ${target} HTTP/1.1\r\nHost: evil.test\r\n${host}\r\n\r\n`,
      "Host with user": `GET ${target} HTTP/1.1\r\nHost: evil@x/..\r\n\r\n`,
      "absolute form": `GET http://evil.test/auth/callback HTTP/1.1\r\nHost: evil.test\r\n\r\n`,
      "huge declared body":
        `POST ${target} HTTP/1.1\r\n${host}\r\nContent-Length: 50000000\r\n\r\nabc`,
      "CL and TE":
        `GET ${target} HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "long target": `GET /auth/callback?${"x".repeat(9_000)} HTTP/1.1\r\n${host}\r\n\r\n`,
      "long header": `GET ${target} HTTP/1.1\r\n${host}\r\nX-Long: ${"x".repeat(9_000)}\r\n\r\n`,
      "TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      "bare LF": `GET / HTTP/1.1\n${host}\n\n`,
      "NUL": `GET /\0 HTTP/1.1\r\n${host}\r\n\r\n`,
      "bad escapes": `GET /auth/callback?state=%ZZ%&code=%ff HTTP/1.1\r\n${host}\r\n\r\n`,
      "OPTIONS *": `OPTIONS * HTTP/1.1\r\n${host}\r\n\r\n`,
    };
    for (const [what, bytes] of Object.entries(rows)) {
      const reply = await sendRaw(port, bytes, { quietMs: 200 });
      assert.ok(
        reply === "" || /^HTTP\/1\.[01] (4\d\d|501|505) /.test(reply),
        `${what}: ${reply.slice(0, 80)}`,
      );
      assert.ok(!/\bat .+:\d+:\d+|node_modules|\.ts\b|Error:/.test(reply), `${what} shows a stack`);
    }
    await visit(await program.authUrl());
    assert.equal((await program.ended).exitCode, 0);
  },
);

verifies(
  "S17",
  `${SUBJECT}: another user's process sees neither who signed in nor the way on`,
  AS_ROOT,
  async () => {
    await using issuer = await startIssuer({ users: [OLA] });
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const port = await portOf(program);
    const success = `http://127.0.0.1:${port}/success`;
    const callback = await obtainCallback(await program.authUrl());
    const stranger = await prepareAsNobody(port, "/success");
    assert.equal((await get(callback)).status, 303);
    stranger.goOn();
    const stolen = await stranger.printed;
    assert.match(stolen, /^ready\nHTTP\/1\.1 404 /);
    assert.ok(!stolen.includes("ola@example.com") && !stolen.includes("/setup/"));
    const page = await get(success);
    assert.equal(page.status, 200);
    const [setup = ""] = /\/setup\/[\w-]{22}/.exec(page.body) ?? [];
    assert.match(await askAsNobody(port, setup), /^HTTP\/1\.1 404 /);
    assert.equal((await get(`http://127.0.0.1:${port}${setup}`)).status, 303);
    assert.equal((await program.ended).exitCode, 0);
  },
);

test(
  `${SUBJECT}: a login as root shows its page to the browser of the user who signed in`,
  AS_ROOT,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const port = await portOf(program);
    const callback = new URL(await obtainCallback(await program.authUrl()));
    const path = callback.pathname + callback.search;
    const browser = await prepareAsNobody(port, path, "/success");
    browser.goOn();
    assert.match(
      await browser.printed,
      /^ready\nHTTP\/1\.1 303 [^]*\nHTTP\/1\.1 200 [^]*ada@example\.com/,
    );
    assert.equal((await program.ended).exitCode, 0);
  },
);

verifies(
  "S17",
  `${SUBJECT}: another user's process can not make a login give way, also when it hides behind a closed socket`,
  AS_ROOT,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const port = await portOf(program);
    // The kernel lists the socket of whoever closes at once as root's: so ask, close, and try again.
    const send = `printf '${printedRequest(port, "/cancel")}' >&3`;
    await startAsNobody(
      `for i in $(seq 300); do exec 3<>/dev/tcp/127.0.0.1/${port} && ${send}; exec 3>&-; done`,
    ).printed;
    assert.doesNotMatch(program.stderr(), /SUPERSEDED/);
    await visit(await program.authUrl());
    assert.equal((await program.ended).exitCode, 0);
  },
);
