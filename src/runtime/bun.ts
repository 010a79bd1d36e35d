import { HARDENED_HEADERS } from "../hardened_headers.ts";
import { toNativeResponse } from "./native_response.ts";
import { loadLibc } from "./bun_libc.ts";
import {
  entryUrl,
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
  fileURLToPath(url: string): string;
  readonly stdout: unknown;
  readonly stderr: unknown;
  write(to: unknown, bytes: Uint8Array): Promise<number>;
  readonly unsafe: { setJITPolicy?(scale: number): void };
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

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

const FOREIGN_CODE = "it can run foreign code in this program";
const DEBUGGER = "it lets a debugger into this program";
const REPORTS = "it sends reports of a crash to others";

/** Variables of Bun itself, which it obeys before a line of ours runs: all that can be done is to go no further. */
const HAZARDS: Readonly<Record<string, string>> = {
  BUN_OPTIONS: FOREIGN_CODE,
  BUN_INSPECT: DEBUGGER,
  BUN_INSPECT_CONNECT_TO: DEBUGGER,
  BUN_ENABLE_CRASH_REPORTING: REPORTS,
  BUN_CRASH_REPORT_URL: REPORTS,
  BUN_BYTECODE_ORDER_OUT: "it makes the program write a file",
};
const ENGINE = "it changes the engine, or makes it tell what it does";
/** Said by those who want no reports. */
const NO_REPORTS: readonly string[] = ["0", "false"];

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

/** The executable compiles late, since most commands are over by then. What goes on for long has it as it usually is. */
function stayFast(): void {
  if (isExecutable()) Bun.unsafe.setJITPolicy?.(1);
}

export const bunRuntime: Runtime = {
  name: "bun",

  serve({ hostname, port, handler }: ServeOptions): Promise<HttpServer> {
    stayFast();
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

  tryLock: async (path) => await (await import("./bun_lock.ts")).tryLock(path),

  helperCommand: (word) =>
    isExecutable()
      ? [process.execPath, word]
      // Bun would fetch what is missing from the registry, and run it.
      : [process.execPath, "--no-install", Bun.fileURLToPath(entryUrl(import.meta.url)), word],

  async writeTo(stream, bytes): Promise<number> {
    stayFast();
    return await (await import("./write_to_descriptor.ts")).writeToDescriptor(stream, bytes);
  },

  /** Without `node:fs`; a reader that does not read keeps everything waiting. */
  writeLast: async (stream, bytes) => void await Bun.write(Bun[stream], bytes),

  writeNow(stream, bytes): number {
    const { writeSync } = process.getBuiltinModule("node:fs");
    return writeSync(DESCRIPTORS[stream], bytes);
  },

  hazard(env): Hazard | undefined {
    // An executable has no options of its own; `bun src/main.ts` may have been given some by its owner.
    if (isExecutable() && process.execArgv.length > 0) {
      return { variable: "BUN_OPTIONS", effect: FOREIGN_CODE };
    }
    for (const [variable, value] of Object.entries(env)) {
      if (!value || !variable.startsWith("BUN_")) continue;
      const isRefusal = NO_REPORTS.includes(value.toLowerCase());
      if (variable === "BUN_ENABLE_CRASH_REPORTING" && isRefusal) continue;
      const effect = variable.startsWith("BUN_JSC_") ? ENGINE : HAZARDS[variable];
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
