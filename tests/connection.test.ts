import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkRoute } from "../src/connection.ts";
import { dial } from "../src/dial.ts";
import { LoginError } from "../src/errors.ts";
import { createFetch, TRANSPORT_DEFAULTS, type TransportOptions } from "../src/http.ts";
import { createHome } from "./testing/home.ts";
import {
  answer,
  type Certificate,
  CLOSED_PORT,
  FAULTS_CA,
  FaultyNetwork,
} from "./testing/network_faults.ts";
import { verifies } from "./testing/verifies.ts";

const TRUSTING = { CODEX_CA_CERTIFICATE: FAULTS_CA };
const PASSWORD = "canary-pw-7f3a";

/** For those that are given up. */
const QUICK = { connectMs: 2_000, totalMs: 4_000 };

async function ask(
  url: string,
  env: Record<string, string> = {},
  limits: Partial<TransportOptions> = {},
): Promise<Response> {
  const options = { ...TRANSPORT_DEFAULTS, ...limits, env };
  return await createFetch(options)(url, { method: "POST", body: "code=secret-code" });
}

async function failure(work: Promise<unknown>): Promise<LoginError> {
  const thrown = await work.then(() => undefined, (error) => error);
  assert.ok(thrown instanceof LoginError, String(thrown));
  return thrown;
}

verifies(
  "S33",
  "a certificate that is not accepted is told by why, with who made it, and nothing is sent",
  async () => {
    const rows: [Certificate, Record<string, string>, string, RegExp][] = [
      ["selfsigned", TRUSTING, "TLS_UNTRUSTED", /for made by itself, made by itself/],
      ["issuer", {}, "TLS_UNTRUSTED", /by codex-login faults CA/],
      ["expired", TRUSTING, "TLS_EXPIRED", /valid until 2021-.*clock/],
      ["early", TRUSTING, "TLS_NOT_YET_VALID", /valid from 2100-/],
      ["other", TRUSTING, "TLS_WRONG_NAME", /for other\.test/],
    ];
    for (const [certificate, env, code, cause] of rows) {
      await using network = new FaultyNetwork();
      const seen: string[] = [];
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      const port = await network.listenTls(certificate, (socket, request) => {
        seen.push(request);
        answer("200 OK", "", { date })(socket, request);
      });
      const error = await failure(ask(`https://localhost:${port}/oauth/token`, env));
      assert.equal(error.code, code, `${certificate}: ${error.code}: ${error.reason}`);
      assert.match(error.reason ?? "", cause);
      assert.equal(error.requestSent, false);
      // For the clock's sake a HEAD is made, which says nothing.
      if (/EXPIRED|NOT_YET/.test(code)) assert.match(error.reason ?? "", /behind the issuer's/);
      else assert.deepEqual(seen, []);
      assert.ok(!seen.join().includes("secret-code") && !seen.join().includes("POST"));
    }
  },
);

test("what is no TLS at all is told as that", async () => {
  await using network = new FaultyNetwork();
  const port = await network.listen((socket) => socket.end("220 mail.test\r\n"));
  const { code, requestSent } = await failure(ask(`https://localhost:${port}/`));
  assert.match(code, /^(TLS|CONNECTION_RESET)$/);
  assert.equal(requestSent, false);
});

verifies("S33", "a file of certificates counts, whichever variable names it", async () => {
  await using network = new FaultyNetwork();
  const port = await network.listenTls("issuer", answer("200 OK", "{}"));
  for (const name of ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
    const response = await ask(`https://localhost:${port}/`, { [name]: FAULTS_CA });
    assert.equal(response.status, 200, name);
  }
});

test("a file of certificates that cannot be used is told with its variable, its path and the line", async () => {
  await using home = await createHome();
  const path = join(home.path, "bundle.pem");
  const broken = "# a word\n-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
  for (
    const [text, cause] of [
      [undefined, /bundle\.pem: it does not exist/],
      ["", /no certificate \(PEM\) is in it/],
      [broken, /certificate 1, at line 2, cannot be read/],
      // Cut off, and without any end at all: that took minutes once.
      [broken.slice(0, -10), /certificate 1, at line 2, cannot be read/],
      [`x\ny\n${"-----BEGIN CERTIFICATE-----\n".repeat(140_000)}`, /certificate 1, at line 3,/],
    ] as const
  ) {
    if (text !== undefined) await writeFile(path, text);
    const error = await failure(checkRoute({ SSL_CERT_FILE: path }, "https://issuer.test"));
    assert.equal(error.code, "CA_FILE");
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /SSL_CERT_FILE/);
    assert.match(error.reason ?? "", cause);
    await checkRoute({ SSL_CERT_FILE: path }, "http://127.0.0.1:1");
  }
});

verifies(
  "S34",
  "a request goes through the proxy's tunnel, TLS inside it, and the proxy gets its own password only",
  async () => {
    await using network = new FaultyNetwork();
    const port = await network.listenTls("issuer", answer("200 OK", '{"a":1}'));
    const seen: string[] = [];
    const proxy = await network.listenAsProxy(port, seen);
    const response = await ask("https://issuer.test/oauth/token", {
      ...TRUSTING,
      HTTPS_PROXY: `http://me:${PASSWORD}@127.0.0.1:${proxy}`,
    });
    assert.equal(await response.text(), '{"a":1}');
    const basic = Buffer.from(`me:${PASSWORD}`).toString("base64");
    assert.deepEqual(seen, [
      `CONNECT issuer.test:443 HTTP/1.1\r\nHost: issuer.test:443\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
    ]);
  },
);

verifies("S34", "a proxy that does not help is told by why, never with its password", async () => {
  const rows: [answer: string | undefined, code: string, cause: RegExp, hint: RegExp][] = [
    ["HTTP/1.1 407 Auth\r\n\r\n", "PROXY_AUTH", /refused \(HTTP 407\)/, /USER:PASSWORD@127/],
    [
      "HTTP/1.1 403 No\r\n\r\n",
      "PROXY_REFUSED",
      /refused CONNECT \(HTTP 403\)/,
      /issuer\.test:443/,
    ],
    ["SSH-2.0-x\r\n\r\n", "PROXY_REFUSED", /not that of a proxy/, /issuer\.test:443/],
    [`HTTP/1.1 200 OK\r\n${"x".repeat(20_000)}`, "PROXY_REFUSED", /not that of a proxy/, /./],
    ["HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n", "PROXY_REFUSED", /not that of a proxy/, /./],
    ["", "PROXY_UNREACHABLE", /the connection was cut/, /HTTPS_PROXY/],
    [undefined, "PROXY_UNREACHABLE", /nothing accepts connections/, /HTTPS_PROXY/],
  ];
  for (const [text, code, cause, hint] of rows) {
    await using network = new FaultyNetwork();
    const port = text === undefined
      ? CLOSED_PORT
      : await network.listen((socket) => socket.end(text));
    const error = await failure(
      ask("https://issuer.test/", { HTTPS_PROXY: `http://me:${PASSWORD}@127.0.0.1:${port}` }),
    );
    assert.equal(error.code, code, `${text?.slice(0, 20)}: ${error.reason}`);
    assert.match(error.reason ?? "", cause);
    assert.match(error.hint, hint);
    assert.equal(error.requestSent, false);
    assert.ok(!`${error.message}${error.reason}${error.hint}`.includes(PASSWORD));
  }
});

test("a proxy that is silent is given up in time", async () => {
  await using network = new FaultyNetwork();
  const port = await network.listen(() => {});
  const env = { ALL_PROXY: `127.0.0.1:${port}` };
  const error = await failure(ask("https://issuer.test/", env, QUICK));
  assert.equal(error.code, "PROXY_UNREACHABLE");
  assert.match(error.hint, /ALL_PROXY/);
});

test("the next address of a name is tried when one does not take the connection", async () => {
  await using network = new FaultyNetwork();
  const port = await network.listen(() => {});
  const { signal } = new AbortController();
  const socket = await dial(["127.0.0.9", "127.0.0.1"].reverse(), port, signal);
  socket.destroy();
  const other = await dial(["127.0.0.9", "127.0.0.1"], port, signal);
  assert.equal(other.remoteAddress, "127.0.0.1");
  other.destroy();
  const closed = CLOSED_PORT;
  await assert.rejects(dial(["127.0.0.9", "127.0.0.1"], closed, signal), { code: "ECONNREFUSED" });
  await assert.rejects(dial([], closed, signal), { code: "ENOTFOUND" });
  const reason = new Error("ended");
  await assert.rejects(dial(["127.0.0.1"], port, AbortSignal.abort(reason)), reason);
});

verifies(
  "S29",
  "a handshake that takes too long is given up, and its connection closed",
  async () => {
    await using network = new FaultyNetwork();
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => closed = resolve);
    const port = await network.listen((socket) => socket.once("close", closed));
    const error = await failure(ask(`https://localhost:${port}/`, {}, QUICK));
    assert.equal(error.code, "CONNECT_TIMEOUT");
    assert.equal(error.requestSent, false);
    await isClosed;
  },
);
