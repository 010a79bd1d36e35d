import assert from "node:assert/strict";
import fc from "fast-check";
import { sendRaw } from "../testing/http_client.ts";
import {
  assertRefused,
  startWaitingServer,
  type WaitingServer,
} from "../testing/waiting_server.ts";
import { type FuzzProperty, fuzzProperty } from "./fuzz_property.ts";
import { mutated, nasty } from "./hostile.ts";

let server: Promise<WaitingServer> | undefined;

/** To be called when all is over. */
export async function stopFuzzServer(): Promise<void> {
  await (await server)?.[Symbol.asyncDispose]();
  server = undefined;
}

const HOST = "Host: 127.0.0.1:%PORT%";
const REQUESTS = [
  `GET /auth/callback?code=c&state=s HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`,
  `GET /success HTTP/1.1\r\n${HOST}\r\nSec-Fetch-Mode: navigate\r\n\r\n`,
  `GET http://127.0.0.1:%PORT%/cancel HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`,
  `POST /auth/callback HTTP/1.1\r\n${HOST}\r\nContent-Length: 5\r\n\r\nhello`,
  `GET /auth/callback HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
];
const part = fc.oneof(
  fc.constantFrom("GET ", "/auth/callback", "?state=", " HTTP/1.1", "\r\n", HOST, ": ", "\r\n\r\n"),
  nasty,
);

export const LISTENER_BYTES: readonly FuzzProperty[] = [
  fuzzProperty(
    "bytes in place of a request",
    ["S25"],
    fc.oneof(
      { weight: 3, arbitrary: mutated(fc.constantFrom(...REQUESTS)) },
      { weight: 1, arbitrary: fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")) },
    ),
    async (text) => {
      server ??= startWaitingServer();
      const { port, isWaiting } = await server;
      const bytes = text.replaceAll("%PORT%", String(port));
      assertRefused(
        await sendRaw(port, bytes, { quietMs: 20 }),
        JSON.stringify(bytes.slice(0, 300)),
      );
      assert.ok(isWaiting());
    },
    { share: 0.6 },
  ),
];
