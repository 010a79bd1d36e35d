import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { systemCode } from "../errors.ts";
import { HARDENED_HEADERS } from "../hardened_headers.ts";
import { describeSystemError } from "../system_error.ts";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import {
  entryUrl,
  type FileLock,
  type HttpServer,
  type OutputStream,
  type Runtime,
  type ServeOptions,
} from "./runtime.ts";
import { DESCRIPTORS, writeNowToDescriptor, writeToDescriptor } from "./write_to_descriptor.ts";

/** Milliseconds a client may take to send its request. */
const REQUEST_LIMIT_MS = 5_000;
/** Milliseconds between two looks at who is late; Node looks twice a minute by itself. */
const CHECK_MS = 1_000;
const O_EXLOCK_DARWIN = 0x20;

const pipes = new Map<OutputStream, Promise<Socket | undefined>>();

/**
 * A pipe is written to without a thread: Node cannot end while one waits for a reader. Undefined for all that is no pipe, and
 * so takes what it is given.
 */
async function openPipe(stream: OutputStream): Promise<Socket | undefined> {
  const { Socket } = await import("node:net");
  try {
    const pipe = new Socket({ fd: DESCRIPTORS[stream], readable: false, writable: true });
    // Whoever writes is told.
    return pipe.on("error", () => {});
  } catch {
    return undefined;
  }
}

export const nodeRuntime: Runtime = {
  name: "node",

  async serve({ hostname, port, handler }: ServeOptions): Promise<HttpServer> {
    const { createServer } = await import("node:http");
    const { getRequestListener, RequestError } = await import("@hono/node-server");
    const answer = getRequestListener(
      (request, { incoming }) => {
        // Node keeps the first of several Host headers and drops the others without a word.
        const hosts = incoming.rawHeaders.filter((name, i) => i % 2 === 0 && /^host$/i.test(name));
        if (hosts.length !== 1) return refuse(400);
        // The request's URL is a normalised one: what was really asked for has to be the same.
        const asked = (incoming.url ?? "").replace(/\?.*$/s, "");
        if (asked !== new URL(request.url).pathname) return refuse(404);
        const { remoteAddress = "", remotePort = 0 } = incoming.socket;
        return handler(request, { address: remoteAddress, port: remotePort });
      },
      {
        overrideGlobalObjects: false,
        errorHandler: (thrown) => refuse(thrown instanceof RequestError ? 400 : 500),
      },
    );
    const server = createServer({
      headersTimeout: REQUEST_LIMIT_MS,
      requestTimeout: REQUEST_LIMIT_MS,
      connectionsCheckingInterval: CHECK_MS,
      // We look ourselves, and our refusal has our headers.
      requireHostHeader: false,
    }, answer);
    server.on("clientError", refuseBroken);
    server.on("checkExpectation", (_, response) => {
      response.writeHead(417, HARDENED_HEADERS);
      response.end();
    });
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

  async writeTo(stream, bytes): Promise<number> {
    const opening = pipes.get(stream) ?? openPipe(stream);
    pipes.set(stream, opening);
    const pipe = await opening;
    if (!pipe) return await writeToDescriptor(stream, bytes);
    return await new Promise((resolve, reject) => {
      pipe.write(bytes, (thrown) => thrown ? reject(thrown) : resolve(bytes.length));
    });
  },

  writeNow: writeNowToDescriptor,

  helperCommand: (word) => [process.execPath, fileURLToPath(entryUrl(import.meta.url)), word],

  hazard: () => undefined,

  /** Node has no such call. */
  protectMemory(): Promise<void> {
    return Promise.resolve();
  },

  limitLife(): Promise<void> {
    return Promise.resolve();
  },
};

function refuse(status: number): Response {
  return new Response(null, { status, headers: HARDENED_HEADERS });
}

const BROKEN: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

/** What is no HTTP, too long or too slow never becomes a request: Node's own refusal would lack our headers. */
function refuseBroken(error: Error, connection: Duplex): void {
  const socket = connection as Socket;
  // Where an answer has begun, a second one would only be a part of it.
  if (socket.writable && socket.bytesWritten === 0) {
    const status = BROKEN[systemCode(error) ?? ""] ?? "400 Bad Request";
    const headers = Object.entries(HARDENED_HEADERS).map(([name, value]) =>
      `${name}: ${value}\r\n`
    );
    socket.write(`HTTP/1.1 ${status}\r\n${headers.join("")}content-length: 0\r\n\r\n`);
  }
  socket.destroy();
}

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
