import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import { HARDENED_HEADERS } from "../hardened_headers.ts";
import { toNativeResponse } from "./native_response.ts";
import {
  entryUrl,
  type FileLock,
  type Hazard,
  type HttpServer,
  type Runtime,
  type ServeOptions,
} from "./runtime.ts";
import { writeNowToDescriptor } from "./write_to_descriptor.ts";

/** A flag of the engine that says no more than how much memory it may take. */
const ENGINE_SIZE =
  /^--(initial|max|min|stack)[-_](old[-_]space|semi[-_]space|heap)?[-_]?size=\d+$/;

/** Types are checked by Deno itself, so this file needs no declarations of its own. */
export const denoRuntime: Runtime = {
  name: "deno",

  serve(options: ServeOptions): Promise<HttpServer> {
    return new Promise((resolve) => resolve(keepServing(options)));
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

  helperCommand(word): string[] {
    const entry = fileURLToPath(entryUrl(import.meta.url));
    // Native code needs FFI, which only the helper gets: for the keyring's own package, where it is known where that is.
    const addons = fileURLToPath(new URL("../../node_modules/@napi-rs", import.meta.url));
    const ffi = entry.endsWith(".ts") ? `--allow-ffi=${addons}` : "--allow-ffi";
    const rights = ["--no-prompt", "--allow-read", "--allow-env", ffi];
    return [Deno.execPath(), "run", "--quiet", ...rights, entry, word];
  },

  /** Deno's `fs.write` blocks everything. */
  writeTo: (stream, bytes) => Deno[stream].write(bytes),

  writeNow: writeNowToDescriptor,

  hazard(env): Hazard | undefined {
    if (/^(1|true)$/i.test(env["OTEL_DENO"] ?? "")) {
      return {
        variable: "OTEL_DENO",
        effect: "it sends traces, with addresses in them, to others",
      };
    }
    const options = (env["NODE_OPTIONS"] ?? "").replace(/["'\\]/g, "");
    if (/(^|\s)(-r|--require|--import|--inspect[-\w]*)(=|\s|$)/.test(options)) {
      return {
        variable: "NODE_OPTIONS",
        effect: "it runs foreign code in this program, or lets a debugger into it",
      };
    }
    const flags = env["DENO_V8_FLAGS"]?.split(",") ?? [];
    if (flags.some((flag) => flag.trim() !== "" && !ENGINE_SIZE.test(flag.trim()))) {
      return {
        variable: "DENO_V8_FLAGS",
        effect: "it changes the engine, or makes it tell what it does",
      };
    }
    if (env["SSLKEYLOGFILE"]) {
      return {
        variable: "SSLKEYLOGFILE",
        effect: "it writes the keys of TLS connections into a file",
      };
    }
    return undefined;
  },

  /** Deno has no such call without FFI, which its permission set for this program does not grant. */
  protectMemory(): Promise<void> {
    return Promise.resolve();
  },

  limitLife(): Promise<void> {
    return Promise.resolve();
  },
};

/** Milliseconds until a server that fell is started again. */
const RESTART_MS = 100;

/** A server of Deno falls when it can accept no more connections (EMFILE): a flood must not end a login, so it is started anew. */
function keepServing({ hostname, port, handler }: ServeOptions): HttpServer {
  let server = start(port);
  let isStopped = false;

  function start(at: number): Deno.HttpServer<Deno.NetAddr> {
    const serve = (): Deno.HttpServer<Deno.NetAddr> =>
      Deno.serve(
        {
          hostname,
          port: at,
          // Without these two Deno writes to stdout, and a failure shows its message to the client.
          onListen: () => {},
          onError: () =>
            toNativeResponse(new Response(null, { status: 500, headers: HARDENED_HEADERS })),
        },
        async (request, { remoteAddr }) => {
          const peer = { address: remoteAddr.hostname, port: remoteAddr.port };
          return await toNativeResponse(await handler(request, peer));
        },
      );
    const started = hidingServeAddress(serve);
    started.finished.catch(() => restart(started.addr.port));
    return started;
  }

  function restart(at: number): void {
    if (isStopped) return;
    const timer = setTimeout(() => {
      try {
        if (!isStopped) server = start(at);
      } catch {
        restart(at);
      }
    }, RESTART_MS);
    Deno.unrefTimer(timer);
  }

  return {
    port: server.addr.port,
    async stop({ force } = { force: false }): Promise<void> {
      isStopped = true;
      const end = server.shutdown().catch(() => {});
      // It waits for answers under way; giving up on them is all that is left.
      if (force) server.unref();
      else await end;
    },
  };
}

/**
 * Does it as if `DENO_SERVE_ADDRESS` were not set, which has the first server of a process listen there instead, for others to
 * reach it. A host's own server may be meant by it, and finds it as it was.
 */
function hidingServeAddress<T>(listen: () => T): T {
  const name = "DENO_SERVE_ADDRESS";
  let address: string | undefined;
  try {
    address = Deno.env.get(name);
    if (address !== undefined) Deno.env.delete(name);
  } catch {
    // A host that lets nobody see its variables.
  }
  try {
    return listen();
  } finally {
    if (address !== undefined) Deno.env.set(name, address);
  }
}
