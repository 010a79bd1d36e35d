import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { gzipSync } from "node:zlib";
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

export const HTTP_ANSWERS: readonly FuzzProperty[] = [
  fuzzProperty(
    "bytes in place of an HTTP answer",
    ["S30", "S31"],
    fc.tuple(bytes, fc.nat(60)),
    async ([answer, cut]) => {
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
        const response = await parsed(() => fetch(`http://127.0.0.1:${port}/`, { method: "GET" }));
        if (response) {
          assert.ok(response.status >= 200 && response.status < 600);
          assert.ok((await response.text()).length <= 1 << 20);
        }
      } finally {
        server.close();
      }
    },
  ),
];
