import { closeSync } from "node:fs";
import { HARDENED_HEADERS } from "../hardened_headers.ts";
import { toNativeResponse } from "./native_response.ts";
import { writeToDescriptor } from "./write_to_descriptor.ts";
import { tryLockFileEx } from "./bun_kernel32.ts";
import { loadLibc } from "./bun_libc.ts";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import {
  entryPath,
  type FileLock,
  type Hazard,
  type HttpServer,
  type RequestHandler,
  type Runtime,
  type ServeOptions,
} from "./runtime.ts";

/** Seconds a connection may be silent before its request is complete. An answer of ours may take as long as it needs. */
const IDLE_SECONDS = 5;
/** No body is ever read; below this the request is refused by us, with our headers. */
const MAX_BODY_BYTES = 65_536;

interface BunServer {
  readonly port: number;
  requestIP(request: Request): { address: string; port: number } | null;
  timeout(request: Request, seconds: number): void;
  stop(closeActiveConnections?: boolean): Promise<void>;
}

declare const Bun: {
  readonly main: string;
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    reusePort: boolean;
    error: () => Promise<Response>;
    fetch: (request: Request, server: BunServer) => Response | Promise<Response>;
  }): BunServer;
};

const FOREIGN_CODE = "it can run foreign code in this program";
const DEBUGGER = "it lets a debugger into this program";
const REPORTS = "it sends reports of a crash to others";

/** Variables of Bun itself, which it obeys before a line of ours runs: all that can be done is to go no further. */
const HAZARDS: readonly (readonly [name: RegExp, effect: string])[] = [
  [/^BUN_OPTIONS$/, FOREIGN_CODE],
  [/^BUN_INSPECT(_CONNECT_TO)?$/, DEBUGGER],
  [/^BUN_(ENABLE_CRASH_REPORTING|CRASH_REPORT_URL)$/, REPORTS],
  [/^BUN_JSC_/, "it changes the engine, or makes it tell what it does"],
  [/^BUN_BYTECODE_ORDER_OUT$/, "it makes the program write a file"],
];
/** Said by those who want no reports. */
const NO_REPORTS = /^(0|false)$/i;

function isExecutable(): boolean {
  return Bun.main.startsWith("/$bunfs/") || Bun.main.startsWith("B:/~BUN/");
}

function answerWith(
  handler: RequestHandler,
): (request: Request, server: BunServer) => Response | Promise<Response> {
  return async (request, server) => {
    server.timeout(request, 0);
    const peer = server.requestIP(request) ?? { address: "", port: 0 };
    return await toNativeResponse(await handler(request, peer));
  };
}

export const bunRuntime: Runtime = {
  name: "bun",

  serve({ hostname, port, handler }: ServeOptions): Promise<HttpServer> {
    return new Promise((resolve) => {
      const server = Bun.serve({
        hostname,
        port,
        idleTimeout: IDLE_SECONDS,
        maxRequestBodySize: MAX_BODY_BYTES,
        // The default shows a stack trace to the client.
        development: false,
        // Without development Bun would share the port with any other process of the same user.
        reusePort: false,
        error: () =>
          toNativeResponse(new Response(null, { status: 500, headers: HARDENED_HEADERS })),
        fetch: answerWith(handler),
      });
      resolve({
        port: server.port,
        stop: ({ force } = { force: false }) => server.stop(force),
      });
    });
  },

  async tryLock(path: string): Promise<FileLock | undefined> {
    if (process.platform === "win32") return await tryLockFileEx(path);
    const libc = await loadLibc();
    if (!libc) throw lockUnsupported(path, "the C library could not be loaded");
    const descriptor = openLockFile(path);
    const outcome = libc.tryFlock(descriptor);
    if (outcome === "locked") return { release: () => closeSync(descriptor) };
    closeSync(descriptor);
    if (outcome === "busy") return undefined;
    throw lockUnsupported(path, `flock: error ${outcome}`);
  },

  helperCommand: (word) =>
    isExecutable()
      ? [process.execPath, word]
      // Bun would fetch what is missing from the registry, and run it.
      : [process.execPath, "--no-install", entryPath(import.meta.url), word],

  writeTo: writeToDescriptor,

  hazard(env): Hazard | undefined {
    // An executable has no options of its own; `bun src/main.ts` may have been given some by its owner.
    if (isExecutable() && process.execArgv.length > 0) {
      return { variable: "BUN_OPTIONS", effect: FOREIGN_CODE };
    }
    for (const [variable, value] of Object.entries(env)) {
      if (!value || (variable === "BUN_ENABLE_CRASH_REPORTING" && NO_REPORTS.test(value))) continue;
      const effect = HAZARDS.find(([name]) => name.test(variable))?.[1];
      if (effect !== undefined) return { variable, effect };
    }
    return undefined;
  },

  async protectMemory(): Promise<void> {
    (await loadLibc())?.disableCoreDumps();
  },

  async limitLife(seconds): Promise<void> {
    (await loadLibc())?.alarm(seconds);
  },
};
