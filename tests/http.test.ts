import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { LoginError } from "../src/errors.ts";
import { createFetch, TRANSPORT_DEFAULTS } from "../src/http.ts";
import { startIssuer } from "./testing/issuer.ts";
import { TLS, trustingFetch } from "./testing/tls.ts";
import { verifies } from "./testing/verifies.ts";

const QUICK = { ...TRANSPORT_DEFAULTS, totalMs: 1_500 };
/** A server that answers each connection's first bytes with whatever `answer` writes. */
async function startRaw(
  answer: (socket: Socket, request: string) => void,
): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (bytes) => answer(socket, bytes.toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function httpAnswer(body: string | Uint8Array, headers = "", status = "200 OK"): Uint8Array {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`),
    bytes,
  ]);
}

async function failure(work: Promise<unknown>): Promise<LoginError> {
  const thrown = await work.then(() => undefined, (error) => error);
  assert.ok(thrown instanceof LoginError, String(thrown));
  return thrown;
}

verifies(
  "S72",
  "the transport sends the caller's headers, host and length, and nothing else",
  async () => {
    let seen = "";
    await using server = await startRaw((socket, request) => {
      seen = request;
      socket.end(httpAnswer("{}", "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nX-A: b\r\n"));
    });
    const response = await createFetch()(`${server.url}/oauth/token?a=b`, {
      method: "POST",
      headers: { "content-type": "text/plain", accept: "*/*" },
      body: "é=1",
    });
    assert.equal(
      seen,
      `POST /oauth/token?a=b HTTP/1.1\r\ncontent-type: text/plain\r\naccept: */*\r\n` +
        `host: ${server.url.slice(7)}\r\ncontent-length: 4\r\n\r\n\u00c3\u00a9=1`,
    );
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-a"), "b");
    assert.equal(await response.text(), "{}");
  },
);

verifies("S31", "the transport follows no redirect", async () => {
  let requests = 0;
  await using server = await startRaw((socket) => {
    requests++;
    socket.end(httpAnswer("", "Location: http://127.0.0.1:1/\r\n", "307 Temporary Redirect"));
  });
  assert.equal((await createFetch()(server.url, { method: "POST", body: "code=x" })).status, 307);
  assert.equal(requests, 1);
});

test("the transport speaks to https, and to http only on a loopback name", async () => {
  for (const url of ["http://issuer.test/", "ftp://127.0.0.1/", "http://me:pw@127.0.0.1/"]) {
    assert.equal((await failure(createFetch()(url, {}))).code, "ISSUER_INVALID");
  }
});

test("the transport tells a refused connection, and that nothing was sent", async () => {
  await using server = await startRaw(() => {});
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const error = await failure(createFetch()(url, { method: "POST", body: "x" }));
  assert.equal(error.code, "CONNECT_REFUSED");
  assert.equal(error.requestSent, false);
});

test("the transport tells a name that does not exist", async () => {
  const error = await failure(
    createFetch()("https://issuer.invalid/oauth/token", { method: "POST" }),
  );
  // Where no name server can be reached nobody says that it does not exist.
  assert.match(error.code, /^DNS(_TIMEOUT)?$/);
  assert.equal(error.requestSent, false);
});

test("the transport tells a cut connection, before and within the answer", async () => {
  const answers = ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"];
  for (const text of answers) {
    await using server = await startRaw((socket) => {
      socket.write(text, () => socket.resetAndDestroy());
    });
    const error = await failure(createFetch()(server.url, { method: "POST", body: "x" }));
    assert.equal(error.code, "CONNECTION_RESET");
    assert.equal(error.requestSent, true);
  }
});

verifies(
  "S29",
  "the transport gives up on silence, on a drip and on an endless header",
  async () => {
    const answers: ((socket: Socket) => void)[] = [
      () => {},
      (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
      (socket) => socket.write("HTTP/1.1 200 OK\r\nX-Long: "),
    ];
    for (const answer of answers) {
      await using server = await startRaw(answer);
      const error = await failure(createFetch(QUICK)(server.url, {}));
      assert.equal(error.code, "RESPONSE_TIMEOUT");
      assert.equal(error.requestSent, true);
    }
  },
);

test("a caller can ask for less time than the transport's own limit, never for more", async () => {
  await using server = await startRaw(() => {});
  const started = performance.now();
  await failure(createFetch()(server.url, { limitMs: 50 }));
  await failure(createFetch({ ...QUICK, totalMs: 50 })(server.url, { limitMs: 60_000 }));
  assert.ok(performance.now() - started < 20_000);
});

test("the transport ends with the caller's own reason when it is told to", async () => {
  await using server = await startRaw(() => {});
  const ending = new AbortController();
  const work = createFetch()(server.url, { signal: ending.signal });
  const reason = new LoginError("INTERRUPTED", "Ended");
  setTimeout(() => ending.abort(reason), 20);
  assert.equal(await failure(work), reason);
  assert.equal(await failure(createFetch()(server.url, { signal: ending.signal })), reason);
});

verifies(
  "S30",
  "the transport bounds a body, also one without an end or one that grows when it is unpacked",
  async () => {
    const small = { ...QUICK, maxBytes: 10_000 };
    const bomb = gzipSync(new Uint8Array(5_000_000));
    const answers: ((socket: Socket) => void)[] = [
      (socket) => socket.end(httpAnswer("x".repeat(10_001))),
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const pour = (): void => void (socket.writable && socket.write("x".repeat(5_000), pour));
        pour();
      },
      (socket) => {
        const pour = (): void =>
          void (socket.writable &&
            socket.write("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".repeat(500), pour));
        pour();
      },
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
        const pour = (): void => void (socket.writable && socket.write("x".repeat(5_000), pour));
        pour();
      },
      (socket) => socket.end(httpAnswer(bomb, "Content-Encoding: gzip\r\n")),
      (socket) => socket.end(httpAnswer("not gzip", "Content-Encoding: gzip\r\n")),
    ];
    for (const answer of answers) {
      await using server = await startRaw(answer);
      const { code } = await failure(createFetch({ ...small, totalMs: 10_000 })(server.url, {}));
      // Some runtimes refuse an endless line by themselves.
      assert.match(code, /^(RESPONSE_TOO_LARGE|NETWORK)$/);
    }
  },
);

test("the transport unpacks what a proxy packed, and refuses packings it does not know", async () => {
  const packed: [string, Uint8Array][] = [
    ["gzip", gzipSync("hello")],
    ["br", brotliCompressSync("hello")],
    ["identity", Buffer.from("hello")],
  ];
  for (const [name, bytes] of packed) {
    await using server = await startRaw((socket) => {
      socket.end(httpAnswer(bytes, `Content-Encoding: ${name}\r\n`));
    });
    assert.equal(await (await createFetch()(server.url, {})).text(), "hello");
  }
  for (const name of ["zip", "constructor", "__proto__", "toString", "gzip, gzip"]) {
    await using server = await startRaw((socket) =>
      socket.end(httpAnswer("x", `Content-Encoding: ${name}\r\n`))
    );
    assert.equal((await failure(createFetch()(server.url, {}))).code, "TOKEN_RESPONSE_INVALID");
  }
});

test("the transport gives statuses without a body as they are, and refuses what is no status", async () => {
  await using empty = await startRaw((socket) => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
  assert.equal((await createFetch()(empty.url, {})).status, 204);
  await using odd = await startRaw((socket) => socket.end(httpAnswer("x", "", "999 Odd")));
  assert.equal((await failure(createFetch()(odd.url, {}))).code, "NETWORK");
});

verifies(
  "S33",
  "the transport verifies TLS, with its own CA or none, whatever the environment says",
  async () => {
    await using issuer = await startIssuer({ tls: TLS });
    const url = `${issuer.url}/oauth/token`;
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const error = await failure(createFetch()(url, { method: "POST", body: "x" }));
      assert.equal(error.code, "TLS_UNTRUSTED");
      assert.equal(error.requestSent, false);
      assert.equal(issuer.requests.length, 0);
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
    assert.equal((await trustingFetch(url, { method: "POST", body: "x" })).status, 400);
  },
);
