import assert from "node:assert/strict";
import { test } from "node:test";
import { loadRuntime } from "../../src/runtime/runtime.ts";
import { ANSWERS, sendRaw } from "../testing/http_client.ts";
import { verifies } from "../testing/verifies.ts";
import { startWaitingServer } from "../testing/waiting_server.ts";

const runtime = await loadRuntime();

// tests/fuzz/listener_bytes.ts has bytes of every other kind.
verifies(
  "S25",
  "a request of another protocol neither crashes the server nor ends the login",
  async () => {
    await using server = await startWaitingServer();
    const { port, isWaiting } = server;
    // Deno answers this one in HTTP/2; it only has to live on.
    await sendRaw(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", { quietMs: 150 });
    assert.ok(isWaiting());
    const host = `Host: 127.0.0.1:${port}`;
    assert.match(
      await sendRaw(port, `GET / HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, ANSWERS),
      /^HTTP\/1\.1 404 /,
    );
  },
);

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
  assert.match(
    await sendRaw(server.port, bytes, ANSWERS),
    /^HTTP\/1\.1 200 [^]*127\.0\.0\.1 true$/,
  );
  await server.stop();
});

test("a taken port is told by the system's code", async () => {
  const options = { hostname: "127.0.0.1", port: 0, handler: (): Response => new Response() };
  const server = await runtime.serve(options);
  await assert.rejects(runtime.serve({ ...options, port: server.port }), { code: "EADDRINUSE" });
  await server.stop();
});
