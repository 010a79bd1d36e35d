import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { readTcpSockets } from "../src/proc_net.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { assertHardened } from "./testing/hardened.ts";
import { createHome } from "./testing/home.ts";
import { get, type Reply, sendPieces, sendRaw } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { occupy } from "./testing/occupant.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { cutRequests, malformedRequests } from "./testing/raw_requests.ts";
import { onlyThorough, times } from "./testing/thorough.ts";
import { verifies } from "./testing/verifies.ts";
import { startWaitingLogin } from "./testing/waiting_login.ts";

const SLOW = { timeout: 120_000 };
const LINUX = { ...SLOW, skip: process.platform !== "linux" && "only Linux has /proc" };
const IS_DENO = SUBJECT === "source" && "Deno" in globalThis;

verifies("S13", `${SUBJECT}: it listens on loopback and nowhere else`, LINUX, async () => {
  await using issuer = await startIssuer();
  for (const own of [[], ["--redirect-host", "localhost"]]) {
    await using home = await createHome();
    await using program = startLogin(home, issuer, own);
    const { port } = new URL(await obtainCallback(await program.authUrl()));
    const listening = (await readTcpSockets())
      .filter((one) => one.isListening && one.localPort === Number(port))
      .map(({ localAddress }) => localAddress);
    assert.ok(listening.length > 0);
    // As the kernel writes 127.0.0.1, and ::1.
    for (const address of listening) {
      assert.match(address, /^(0100007F|00000000000000000000000001000000)$/);
    }
    if (own.length > 0) assert.equal(listening.length, 2);
  }
});

verifies(
  ["S13", "S27"],
  `${SUBJECT}: localhost is not shared with a stranger on either family`,
  SLOW,
  async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using stranger = await occupy(0, host);
      const { exitCode, stderr } = await runProgram(home, [
        ...["login", "--issuer", issuer.url, "--no-browser"],
        ...["--redirect-host", "localhost", "--port", String(stranger.port)],
      ]);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^error\[PORT_BUSY\]/m);
      assert.deepEqual(stranger.received, []);
      assert.equal(issuer.asked("authorize").length, 0);
    }
  },
);

verifies(
  "S19",
  `${SUBJECT}: every answer is hardened: the redirect, the page and each refusal`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { program, callback } = waiting;
    const { origin } = new URL(callback);
    const asked: Reply[] = [
      await get(`${origin}/`),
      await get(`${origin}/auth/callback`),
      await get(callback, { method: "POST" }),
      await get(callback, { body: "abc" }),
      await get(callback, { headers: { host: "evil.test" } }),
      await get(callback, { headers: { origin: "https://evil.test" } }),
      await get(`${origin}/cancel`, { headers: { accept: "*/*" } }),
      await get(callback),
      await get(`${origin}/success`),
    ];
    const statuses = asked.map(({ status }) => status);
    assert.deepEqual(statuses, [404, 400, 405, 413, 421, 403, 403, 303, 200]);
    for (const reply of asked) assertHardened(reply);
    assert.equal((await program.ended).exitCode, 0);
  },
);

/** The elements of a page, in their order. */
function elementsOf(html: string): string[] {
  return [...html.matchAll(/<\/?[a-z][^>]*>/gi)].map(([tag]) => tag);
}

verifies(
  ["S20", "S65"],
  `${SUBJECT}: an issuer's words are text on the page and on the terminal, whatever they hold`,
  SLOW,
  async () => {
    const pages: string[] = [];
    for (
      const words of [
        "plain",
        `<script>alert(1)</script><img src=x onerror=alert(1)>"'\`</main><meta http-equiv=refresh>`,
        "\u001b[31mred\u001b]0;title\u0007\u001b]8;;https://evil.test\u0007\u001b]52;c;eA==\u0007\u009b2J",
        "\u202etxt.exe\u2066\u200b\ufeff\u0000\r\nerror[FORGED]: \u2028 \u{e0041}",
        "x".repeat(5_000),
      ]
    ) {
      await using waiting = await startWaitingLogin();
      const { home, program } = waiting;
      const url = new URL(waiting.callback);
      url.searchParams.delete("code");
      url.searchParams.set("error", "server_error");
      url.searchParams.set("error_description", words);
      const { body, status } = await get(url.href);
      assert.ok(status >= 400, String(status));
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 1, stderr);
      for (const text of [body, stderr, await home.textOutsideAuth()]) {
        // Line ends are ours; all else that controls, hides or turns text round is not there.
        assert.doesNotMatch(text.replace(/\n/g, ""), /\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
        assert.ok(!text.includes("x".repeat(301)));
      }
      assert.doesNotMatch(stderr, /^error\[FORGED\]/m);
      pages.push(body);
    }
    const [plain = "", ...others] = pages.map(elementsOf);
    assert.ok(plain.length > 5);
    for (const elements of others) assert.deepEqual(elements, plain);
  },
);

verifies(
  "S22",
  `${SUBJECT}: headers and targets that are too long, and bodies, are refused, and the connection is closed`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { issuer, program } = waiting;
    const callback = new URL(waiting.callback);
    const { pathname, search } = callback;
    const port = Number(callback.port);
    // Each of them would sign in, were it not for what is too much.
    const send = (line: string, headers: string, body = ""): Promise<string> =>
      sendRaw(port, `${line}\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n${body}`, {
        quietMs: 3_000,
      });
    const line = `GET ${pathname}${search} HTTP/1.1`;
    const rows: [what: string, reply: Promise<string>, status: RegExp][] = [
      ["header of 9 kB", send(line, `X-Long: ${"x".repeat(9_000)}\r\n`), /431/],
      ["header of 1 MB", send(line, `X-Long: ${"x".repeat(1_000_000)}\r\n`), /431|400/],
      ["10,000 headers", send(line, "X-Many: x\r\n".repeat(10_000)), /431|400/],
      [
        "target of 9 kB",
        send(`GET ${pathname}${search}&x=${"x".repeat(9_000)} HTTP/1.1`, ""),
        /414|431/,
      ],
      ["body", send(line, "Content-Length: 3\r\n", "abc"), /413|400/],
      [
        "chunked body",
        send(line, "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        /413|400/,
      ],
    ];
    for (const [what, reply, status] of rows) {
      const text = await reply;
      // A runtime may also close such a connection without a word.
      if (text !== "") {
        assert.match(text.slice(0, 13), new RegExp(`^HTTP/1\\.1 (${status.source}) `), what);
      }
    }
    assert.equal(issuer.asked("token").length, 0);
    assert.equal((await get(callback.href)).status, 303);
    assert.equal((await program.ended).exitCode, 0);
  },
);

/** Connections that send a part of a request and then nothing more. */
async function openSlowly(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`GET /auth/callback?state=x HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-`);
        resolve();
      });
      // One that the other side gives up is what is wanted.
      socket.on("error", () => resolve());
      sockets.push(socket);
    });
  for (let left = count; left > 0; left -= 50) {
    await Promise.all(Array.from({ length: Math.min(50, left) }, open));
  }
  return sockets;
}

verifies(
  "S23",
  `${SUBJECT}: the right callback is answered beside many slow connections`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { program, callback } = waiting;
    const sockets = await openSlowly(Number(new URL(callback).port), times(100, 1_500));
    try {
      assert.equal((await get(callback)).status, 303);
      assert.equal((await program.ended).exitCode, 0);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
);

verifies(
  "S23",
  `${SUBJECT}: what sends half a request is closed, and the login waits on`,
  { ...SLOW, skip: onlyThorough() || (IS_DENO && "Deno's server has no such limit") },
  async () => {
    await using waiting = await startWaitingLogin();
    const { program, authUrl, port } = waiting;
    const sockets = await openSlowly(port, 20);
    await Promise.all(sockets.map((socket) =>
      new Promise<void>((resolve) => {
        if (socket.closed) return resolve();
        socket.once("close", () => resolve());
        socket.resume();
      })
    ));
    await visit(authUrl);
    assert.equal((await program.ended).exitCode, 0);
  },
);

verifies(
  "S24",
  `${SUBJECT}: the right callback is answered in a flood of wrong ones`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { issuer, home, program, callback } = waiting;
    const wrong = callback.replace(/state=[\w-]+/, "state=wrong");
    let left = times(1_000, 20_000);
    let refused = 0;
    let isOver = false;
    const isFlooding = deferred<void>();
    const client = async (): Promise<void> => {
      while (left-- > 0 && !isOver) {
        const { status } = await get(wrong).catch(() => ({ status: 0 }));
        if (status === 400 && ++refused === times(500, 10_000)) isFlooding.resolve();
      }
    };
    const clients = Array.from({ length: 200 }, client);
    await isFlooding.promise;
    assert.equal((await get(callback)).status, 303);
    isOver = true;
    assert.equal((await program.ended).exitCode, 0);
    await Promise.all(clients);
    assert.equal(issuer.asked("token").length, 1);
    assert.ok((await home.textOutsideAuth()).length < 64_000);
  },
);

verifies(
  "S25",
  `${SUBJECT}: no bytes at all end the login, show how it is made, or get an answer of worth`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { issuer, program, authUrl, port } = waiting;
    const queue = malformedRequests(port, times(400, 8_000));
    const send = async (): Promise<void> => {
      for (let bytes = queue.pop(); bytes !== undefined; bytes = queue.pop()) {
        const reply = await sendRaw(port, bytes, { quietMs: 60 });
        const shown = `${JSON.stringify(bytes).slice(0, 300)}\n${reply.slice(0, 300)}`;
        assert.doesNotMatch(reply, /^HTTP\/1\.[01] ([23]\d\d|500) /, shown);
        assert.doesNotMatch(reply, /\bat .+:\d+:\d+|node_modules|\.ts\b|Error:/, shown);
      }
    };
    await Promise.all(Array.from({ length: 24 }, send));
    assert.equal(issuer.asked("token").length, 0);
    await visit(authUrl);
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr.replace(authUrl, ""), /\bat .+:\d+:\d+|TypeError|node_modules/);
  },
);

verifies(
  ["S23", "S25"],
  `${SUBJECT}: it does not matter where a request is cut in pieces: a wrong one is refused, the right one signs in`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin();
    const { issuer, home, program } = waiting;
    const callback = new URL(waiting.callback);
    const port = Number(callback.port);
    const host = `Host: 127.0.0.1:${port}`;
    const queue = cutRequests(port, times(200, 4_000));
    const send = async (): Promise<void> => {
      for (let pieces = queue.pop(); pieces !== undefined; pieces = queue.pop()) {
        const reply = await sendPieces(port, pieces, 60);
        const shown = `${JSON.stringify(pieces).slice(0, 300)}\n${reply.slice(0, 300)}`;
        assert.doesNotMatch(reply, /^HTTP\/1\.[01] [23]\d\d /, shown);
        assert.doesNotMatch(reply, /\bat .+:\d+:\d+|node_modules|\.ts\b|Error:/, shown);
      }
    };
    await Promise.all(Array.from({ length: 24 }, send));

    const line = `GET ${callback.pathname}${callback.search} HTTP/1.1\r\n${host}\r\n`;
    const bytes = (text: string): string[] => [...`${text}\r\n`];
    const wrong = line.replace(/state=[\w-]+/, "state=wrong");
    assert.match(await sendPieces(port, bytes(wrong), 5_000), /^HTTP\/1\.1 400 /);
    assert.match(await sendPieces(port, bytes(`${line}Origin: null\r\n`), 5_000), / 403 /);
    assert.match(await sendPieces(port, bytes(`${line}Host: evil.test\r\n`), 5_000), / 4\d\d /);
    assert.equal(issuer.asked("token").length, 0);
    assert.ok(!(await home.list()).includes("auth.json"));
    assert.match(await sendPieces(port, bytes(line), 5_000), /^HTTP\/1\.1 303 /);
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.equal(issuer.asked("token").length, 1);
  },
);

verifies(
  "S26",
  `${SUBJECT}: a login ends in time and frees its port, also while others hold connections to it`,
  SLOW,
  async () => {
    await using waiting = await startWaitingLogin(["--timeout", "3s"]);
    const { home, program, port } = waiting;
    const sockets = await openSlowly(port, 50);
    try {
      const { exitCode, stderr, stdout } = await program.ended;
      assert.equal(exitCode, 6, stderr);
      assert.match(stderr, /^error\[LOGIN_TIMEOUT\]/m);
      assert.equal(stdout, "");
      await using _free = await occupy(port);
      assert.ok(!(await home.list()).some((name) => /^auth\.json$|\.tmp$/.test(name)));
      // Nor does the record of running logins say that it still is one.
      assert.deepEqual(await readdir(join(home.path, "codex-login")), []);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
);

test("the requests that are sent for malformed are many and different", () => {
  const all = malformedRequests(1455, 500);
  assert.ok(new Set(all).size > 350);
  const cut = cutRequests(1455, 500);
  assert.deepEqual(cut.map((pieces) => pieces.join("")), all);
  assert.ok(cut.filter((pieces) => pieces.length > 2).length > 250);
});
