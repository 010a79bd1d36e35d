import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCallbackServer } from "../../src/callback_server.ts";
import { TERMINAL } from "../../src/pages.ts";
import { type HttpServer, loadRuntime } from "../../src/runtime/runtime.ts";
import { SILENT_LOG } from "../../src/world.ts";
import { createAttempt } from "../testing/attempt.ts";
import { sendRaw } from "../testing/http_client.ts";
import { verifies } from "../testing/verifies.ts";

const runtime = await loadRuntime();

/** The real callback app on a real socket, waiting for a callback that never comes. */
async function withServer(
  use: (port: number, isWaiting: () => boolean) => Promise<void>,
): Promise<void> {
  let handler: (request: Request) => Response | Promise<Response> = () => new Response();
  let ended = false;
  const server: HttpServer = await runtime.serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: (request) => handler(request),
  });
  const { port } = server;
  const callback = createCallbackServer(
    { log: SILENT_LOG, randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    {
      attempt: await createAttempt("https://auth.openai.com", port),
      port,
      complete: () => Promise.reject(new Error("no callback was right")),
      mayCancel: () => Promise.resolve(false),
      landing: TERMINAL,
      audience: { admit: () => Promise.resolve(), includes: () => Promise.resolve(false) },
    },
  );
  callback.completed.catch(() => ended = true);
  handler = (request) => callback.app.fetch(request, { peer: { address: "", port: 0 } });
  try {
    await use(port, () => !ended);
  } finally {
    await server.stop({ force: true });
  }
}

function assertRefused(reply: string, what: string): void {
  assert.ok(
    reply === "" || /^HTTP\/1\.[01] (4\d\d|501|505) /.test(reply),
    `${what}: ${reply.slice(0, 80)}`,
  );
  assert.ok(!/\bat .+:\d+:\d+|node_modules|\.ts\b|Error:/.test(reply), `${what} shows a stack`);
}

verifies("S25", "no bytes at all crash the server or end the login", async () => {
  await withServer(async (port, isWaiting) => {
    const part = fc.oneof(
      fc.constantFrom(
        "GET ",
        "/auth/callback",
        "?state=",
        " HTTP/1.1",
        "\r\n",
        `Host: 127.0.0.1:${port}`,
        ": ",
        "\r\n\r\n",
      ),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        assertRefused(await sendRaw(port, parts.join(""), 20), JSON.stringify(parts));
        assert.ok(isWaiting());
      }),
      { numRuns: 60 },
    );
    // Deno answers this one in HTTP/2; it only has to live on.
    await sendRaw(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 150);
    assert.ok(isWaiting());
    const host = `Host: 127.0.0.1:${port}`;
    assert.match(
      await sendRaw(port, `GET / HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 404 /,
    );
  });
});

test("an answer may take long, and the handler is told who asks", { timeout: 60_000 }, async () => {
  // Longer than the idle limits of the runtimes; login.e2e.test.ts holds one for 30 s.
  const server = await runtime.serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: async (_, { address, port }) => {
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      return new Response(`${address} ${port > 0}`, { headers: { connection: "close" } });
    },
  });
  const bytes = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
  assert.match(await sendRaw(server.port, bytes, 20_000), /^HTTP\/1\.1 200 [^]*127\.0\.0\.1 true$/);
  await server.stop();
});

test("a taken port is told by the system's code", async () => {
  const options = { hostname: "127.0.0.1", port: 0, handler: (): Response => new Response() };
  const server = await runtime.serve(options);
  await assert.rejects(runtime.serve({ ...options, port: server.port }), { code: "EADDRINUSE" });
  await server.stop();
});
