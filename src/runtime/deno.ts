import { closeSync } from "node:fs";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import type { FileLock, HttpServer, Runtime, ServeOptions } from "./runtime.ts";

/** Types are checked by Deno itself, so this file needs no declarations of its own. */
export const denoRuntime: Runtime = {
  name: "deno",

  serve({ hostname, port, handler }: ServeOptions): Promise<HttpServer> {
    return new Promise((resolve) => {
      const server = Deno.serve(
        {
          hostname,
          port,
          // Without these two Deno writes to stdout, and a failure shows its message to the client.
          onListen: () => {},
          onError: () => new Response(null, { status: 500 }),
        },
        (request, { remoteAddr }) =>
          handler(request, { address: remoteAddr.hostname, port: remoteAddr.port }),
      );
      resolve({
        port: server.addr.port,
        async stop({ force } = { force: false }): Promise<void> {
          const end = force ? abandon(server) : server.shutdown();
          await end.catch(() => {});
        },
      });
    });
  },

  async tryLock(path: string): Promise<FileLock | undefined> {
    closeSync(openLockFile(path));
    const file = await Deno.open(path, { read: true, write: true });
    try {
      if (await file.tryLock(true)) return { release: () => file.close() };
    } catch (thrown) {
      file.close();
      throw lockUnsupported(path, (thrown as Error).name);
    }
    file.close();
    return undefined;
  },

  injectedOptions: () => [],

  /** Deno has no such call without FFI, which its permission set for this program does not grant. */
  protectMemory(): Promise<void> {
    return Promise.resolve();
  },
};

/** `shutdown` waits for answers under way; giving up on them is all that is left. */
async function abandon(server: Deno.HttpServer): Promise<void> {
  server.shutdown().catch(() => {});
  server.unref();
  await Promise.resolve();
}
