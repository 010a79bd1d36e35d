import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Server } from "node:http";
import { systemCode } from "../errors.ts";
import { describeSystemError } from "../system_error.ts";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import {
  entryPath,
  type FileLock,
  type HttpServer,
  type Runtime,
  type ServeOptions,
} from "./runtime.ts";
import { writeStdout } from "./write_stdout.ts";

/** Milliseconds a client may take to send its request. */
const REQUEST_LIMIT_MS = 5_000;
/** Milliseconds between two looks at who is late; Node looks twice a minute by itself. */
const CHECK_MS = 1_000;
const O_EXLOCK_DARWIN = 0x20;

export const nodeRuntime: Runtime = {
  name: "node",

  async serve({ hostname, port, handler }: ServeOptions): Promise<HttpServer> {
    const { createAdaptorServer } = await import("@hono/node-server");
    const server = createAdaptorServer({
      fetch: (request, { incoming }) => {
        // Node keeps the first of several Host headers and drops the others without a word.
        const hosts = incoming.rawHeaders.filter((name, i) => i % 2 === 0 && /^host$/i.test(name));
        if (hosts.length !== 1) return new Response(null, { status: 400 });
        // The request's URL is a normalised one: what was really asked for has to be the same.
        const asked = (incoming.url ?? "").replace(/\?.*$/s, "");
        if (asked !== new URL(request.url).pathname) return new Response(null, { status: 404 });
        const { remoteAddress = "", remotePort = 0 } = incoming.socket;
        return handler(request, { address: remoteAddress, port: remotePort });
      },
      overrideGlobalObjects: false,
      serverOptions: {
        headersTimeout: REQUEST_LIMIT_MS,
        requestTimeout: REQUEST_LIMIT_MS,
        connectionsCheckingInterval: CHECK_MS,
      },
    }) as Server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, hostname, resolve);
    });
    const address = server.address();
    return {
      port: typeof address === "object" && address ? address.port : port,
      stop({ force } = { force: false }): Promise<void> {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        if (force) server.closeAllConnections();
        else server.closeIdleConnections();
        return closed;
      },
    };
  },

  async tryLock(path: string): Promise<FileLock | undefined> {
    if (process.platform === "darwin") return exclusiveOpen(path);
    const descriptor = openLockFile(path);
    // The lock belongs to the open file, which flock(1) shares with us: it outlives the child.
    const status = await flockCommand(descriptor).catch((thrown) => {
      closeSync(descriptor);
      throw lockUnsupported(path, `flock(1): ${describeSystemError(thrown)}`);
    });
    if (status === 0) return { release: () => closeSync(descriptor) };
    closeSync(descriptor);
    if (status === 1) return undefined;
    throw lockUnsupported(path, `flock(1) ended with ${status}`);
  },

  writeStdout,

  helperCommand: (word) => [process.execPath, entryPath(import.meta.url), word],

  hazard: () => undefined,

  /** Node has no such call. */
  protectMemory(): Promise<void> {
    return Promise.resolve();
  },

  limitLife(): Promise<void> {
    return Promise.resolve();
  },
};

function flockCommand(descriptor: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["-n", "-x", "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor],
      env: { PATH: process.env["PATH"] },
    });
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

function exclusiveOpen(path: string): FileLock | undefined {
  try {
    const descriptor = openLockFile(path, O_EXLOCK_DARWIN);
    return { release: () => closeSync(descriptor) };
  } catch (thrown) {
    if (systemCode(thrown) === "EAGAIN") return undefined;
    throw thrown;
  }
}
