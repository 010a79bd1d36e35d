import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { reachByProxy } from "../../src/connection.ts";
import { createFetch, TRANSPORT_DEFAULTS } from "../../src/http.ts";
import { CA_PATH } from "../testing/tls.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { mutated, nasty } from "./hostile.ts";

/** A record of TLS that says: handshake failure; and the beginning of a server's hello. */
const ALERT = "\x15\x03\x03\x00\x02\x02\x28";
const HELLO = `\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03${
  "R".repeat(32)
}\x00\x13\x01\x00\x00\x05`;
const TUNNEL = "HTTP/1.1 200 Connection established\r\n\r\n";
const CA = readFileSync(CA_PATH, "utf8");
const LIMITS = { ...TRANSPORT_DEFAULTS, connectMs: 2_000, totalMs: 4_000 };

function bytesLike(...right: string[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 8, arbitrary: mutated(fc.constantFrom(...right)) },
    { weight: 1, arbitrary: nasty },
  ).map((text) => Buffer.from(text, "latin1"));
}

/** Answers the first bytes of each connection, in two parts, and hangs up. */
async function withPeer(
  answer: Uint8Array,
  cut: number,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(answer.subarray(0, cut));
      socket.end(answer.subarray(cut));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

const aCut = fc.nat(60);

export const PEER_BYTES: readonly FuzzProperty[] = [
  fuzzProperty(
    "bytes in place of a proxy's answer",
    ["S30", "S34"],
    fc.tuple(
      bytesLike(
        TUNNEL,
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        "HTTP/1.0 403 Forbidden\r\nContent-Length: 1\r\n\r\nx",
        `HTTP/1.1 200 OK\r\nX: ${"y".repeat(17_000)}`,
      ),
      aCut,
    ),
    async ([answer, cut]) => {
      await withPeer(answer, cut, async (port) => {
        const authorization = `Basic ${MARK}`;
        const proxy = { host: "127.0.0.1", port, variable: "HTTPS_PROXY", authorization };
        const url = new URL("https://issuer.test/token");
        const { signal } = new AbortController();
        const socket = await parsed(() => reachByProxy(url, proxy, signal, () => {}));
        socket?.destroy();
      });
    },
    { share: 0.5 },
  ),
  fuzzProperty(
    "bytes in place of TLS",
    ["S30", "S33"],
    fc.tuple(bytesLike(ALERT, HELLO, HELLO + ALERT, TUNNEL, "HTTP/1.1 400 Bad\r\n\r\n"), aCut),
    async ([answer, cut]) => {
      await withPeer(answer, cut, async (port) => {
        const fetch = createFetch({ ...LIMITS, ca: CA });
        const init = { method: "POST", body: MARK } as const;
        const response = await parsed(() => fetch(`https://127.0.0.1:${port}/`, init));
        assert.equal(response, undefined);
      });
    },
    { share: 0.3 },
  ),
  fuzzProperty(
    "bytes in place of TLS behind a proxy",
    ["S33", "S34"],
    fc.tuple(bytesLike(TUNNEL + ALERT, TUNNEL + HELLO, TUNNEL), fc.constant(TUNNEL.length)),
    async ([answer, cut]) => {
      await withPeer(answer, cut, async (port) => {
        const env = { https_proxy: `http://me:${MARK}@127.0.0.1:${port}` };
        const fetch = createFetch({ ...LIMITS, ca: CA, env });
        const response = await parsed(() => fetch("https://issuer.test/", { method: "GET" }));
        assert.equal(response, undefined);
      });
    },
    { share: 0.3 },
  ),
];
