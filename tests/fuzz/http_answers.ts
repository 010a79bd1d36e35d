import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { createFetch, TRANSPORT_DEFAULTS } from "../../src/http.ts";
import { type FuzzProperty, fuzzProperty, parsed } from "./fuzz_property.ts";
import { mutated, nasty } from "./hostile.ts";

const BODY = '{"access_token":"at"}';
const RIGHT = [
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${
    BODY.length.toString(16)
  }\r\n${BODY}\r\n0\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
  "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://evil.test/\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
  `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n${
    gzipSync(BODY).toString("latin1")
  }`,
];

const bytes = fc.oneof(
  { weight: 8, arbitrary: mutated(fc.constantFrom(...RIGHT)) },
  { weight: 1, arbitrary: nasty },
).map((text) => Buffer.from(text, "latin1"));

const PACKED = [gzipSync(BODY), deflateSync(BODY), brotliCompressSync(BODY), Buffer.from(BODY)]
  .map((body) => body.toString("latin1"));
const ENCODINGS = ["gzip", "x-gzip", "deflate", "br", "identity", "GZIP", "", "zstd", "compress"];
const NO_ENCODINGS = ["constructor", "__proto__", "toString", "valueOf", "gzip, br", "gzip;q=1"];
const KNOWN_ENCODING = /^(|identity|gzip|x-gzip|deflate|br)$/i;

/** What comes of an answer, sent in two parts to whoever connects. */
async function fetchFrom(answer: Uint8Array, cut: number): Promise<Response | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(answer.subarray(0, cut));
      socket.end(answer.subarray(cut));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const fetch = createFetch({ ...TRANSPORT_DEFAULTS, connectMs: 2_000, totalMs: 4_000 });
    return await parsed(() => fetch(`http://127.0.0.1:${port}/`, { method: "GET" }));
  } finally {
    server.close();
  }
}

export const HTTP_ANSWERS: readonly FuzzProperty[] = [
  fuzzProperty(
    "bytes in place of an HTTP answer",
    ["S30", "S31"],
    fc.tuple(bytes, fc.nat(60)),
    async ([answer, cut]) => {
      const response = await fetchFrom(answer, cut);
      if (!response) return;
      assert.ok(response.status >= 200 && response.status < 600);
      assert.ok((await response.text()).length <= 1 << 20);
    },
  ),
  fuzzProperty(
    "a body that is packed",
    ["S30"],
    fc.record({
      encoding: fc.constantFrom(...ENCODINGS, ...NO_ENCODINGS),
      body: mutated(fc.constantFrom(...PACKED)),
    }),
    async ({ encoding, body }) => {
      const bytes = Buffer.from(body, "latin1");
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n` +
        `Content-Encoding: ${encoding}\r\n\r\n`;
      const response = await fetchFrom(Buffer.concat([Buffer.from(head), bytes]), head.length);
      // What nobody can unpack is not taken as it is.
      if (response) assert.match(encoding, KNOWN_ENCODING);
    },
    { share: 0.5 },
  ),
];
