import assert from "node:assert/strict";
import { createCallbackServer } from "../../src/callback_server.ts";
import { TERMINAL } from "../../src/pages.ts";
import { type HttpServer, loadRuntime } from "../../src/runtime/runtime.ts";
import { SILENT_LOG } from "../../src/world.ts";
import { createAttempt } from "./attempt.ts";

/** The real callback app on a real socket, waiting for a callback that never comes. */
export interface WaitingServer extends AsyncDisposable {
  readonly port: number;
  isWaiting(): boolean;
}

export async function startWaitingServer(): Promise<WaitingServer> {
  let handler: (request: Request) => Response | Promise<Response> = () => new Response();
  let ended = false;
  const runtime = await loadRuntime();
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
  return {
    port,
    isWaiting: () => !ended,
    [Symbol.asyncDispose]: () => server.stop({ force: true }),
  };
}

export function assertRefused(reply: string, what: string): void {
  assert.ok(
    reply === "" || /^HTTP\/1\.[01] (4\d\d|501|505) /.test(reply),
    `${what}: ${reply.slice(0, 80)}`,
  );
  assert.ok(!/\bat .+:\d+:\d+|node_modules|\.ts\b|Error:/.test(reply), `${what} shows a stack`);
}
