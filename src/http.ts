import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Deferred, deferred } from "./deferred.ts";
import { LoginError } from "./errors.ts";
import { openConnection } from "./connection.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { networkError, type Stage } from "./network_error.ts";
import { parseSecureUrl } from "./oauth/issuer.ts";
import { chooseProxy } from "./proxy.ts";
import type { Fetch, FetchInit } from "./world.ts";

export interface TransportOptions extends ConnectionOptions {
  /** Milliseconds until the connection, TLS included, stands. */
  readonly connectMs: number;
  /** Milliseconds for a whole request, whatever else was asked. */
  readonly totalMs: number;
  /** Bytes of a body, before and after decompression. */
  readonly maxBytes: number;
}

export const TRANSPORT_DEFAULTS: TransportOptions = {
  connectMs: 10_000,
  totalMs: 30_000,
  maxBytes: 1 << 20,
};

/**
 * The one way out of this program: `node:http` over connections of our own, because that gives the same events and error
 * codes in all three runtimes. It speaks `https`, or `http` with a loopback address, takes the proxy and the certificates that
 * `env` names, follows no redirect, keeps no connection, and verifies TLS whatever the environment says.
 */
export function createFetch(options: TransportOptions = TRANSPORT_DEFAULTS): Fetch {
  return async (address, init) => {
    const url = parseSecureUrl(address, "address");
    init.signal?.throwIfAborted();
    return await new Call(url, options, init).response;
  };
}

/** In the order of the reference: the caller's own, then host, then the length. */
function wireHeaders(url: URL, init: FetchInit): Record<string, string> {
  const headers: Record<string, string> = { ...init.headers, host: url.host };
  if (init.body !== undefined) headers["content-length"] = String(Buffer.byteLength(init.body));
  return headers;
}

/** Headers and framing may take this much on top of a body; how often that is looked at, in ms. */
const OVERHEAD_BYTES = 1 << 18;
const WATCH_MS = 100;

/** One request and its answer, from the name's address to the last byte in. */
class Call {
  readonly response: Promise<Response>;
  #stage: Stage = "dns";
  #outcome: Deferred<Response>;
  #socket: Socket | undefined;
  #outgoing: ClientRequest | undefined;

  constructor(
    private readonly url: URL,
    private readonly options: TransportOptions,
    private readonly init: FetchInit,
  ) {
    this.#outcome = deferred<Response>();
    const over = new AbortController();
    const limitMs = Math.min(init.limitMs ?? options.totalMs, options.totalMs);
    const timers = [
      setTimeout(() => this.#stage === "sent" || this.#fail("TIMEOUT"), options.connectMs),
      setTimeout(() => this.#fail("TIMEOUT"), limitMs),
    ];
    // Interim answers and chunk extensions are no body, and have no bound of their own.
    const watch = setInterval(() => {
      const received = this.#socket?.bytesRead ?? 0;
      if (received > 2 * options.maxBytes + OVERHEAD_BYTES) {
        this.#outcome.reject(tooLarge(options.maxBytes));
      }
    }, WATCH_MS);
    const abort = (): void => this.#outcome.reject(init.signal?.reason);
    init.signal?.addEventListener("abort", abort, { once: true });
    this.response = this.#outcome.promise.finally(() => {
      for (const timer of timers) clearTimeout(timer);
      clearInterval(watch);
      init.signal?.removeEventListener("abort", abort);
      over.abort();
      this.#outgoing?.destroy();
      this.#socket?.destroy();
    });
    this.#send(over.signal).catch((thrown) =>
      thrown instanceof LoginError ? this.#outcome.reject(thrown) : this.#fail(thrown)
    );
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { url, init } = this;
    const socket = await openConnection(url, this.options, signal, (stage) => {
      this.#stage = stage;
    });
    if (signal.aborted) return void socket.destroy();
    this.#socket = socket;
    const { Agent, request } = await import("node:http");
    if (signal.aborted) return void socket.destroy();
    this.#stage = "sent";
    // With an agent of another kind newer runtimes let NODE_USE_ENV_PROXY write the request as for a proxy.
    const agent = new Agent({ proxyEnv: {} });
    agent.createConnection = () => socket;
    const outgoing = request({
      method: init.method ?? "GET",
      host: url.hostname.replace(/^\[|\]$/g, ""),
      path: url.pathname + url.search,
      headers: wireHeaders(url, init),
      agent,
      createConnection: () => socket,
      maxHeaderSize: 1 << 16,
    });
    this.#outgoing = outgoing;
    // HTTP/1.1 needs no Connection header, and the reference sends none.
    outgoing.removeHeader("connection");
    outgoing.on("error", (thrown) => this.#fail(thrown));
    outgoing.on("response", (incoming) => this.#receive(incoming));
    outgoing.end(init.body);
  }

  #fail(cause: unknown): void {
    if (cause === "TIMEOUT" && this.#stage === "proxy") {
      return this.#outcome.reject(proxyTimeout(this.url, this.options));
    }
    this.#outcome.reject(networkError(cause, this.url, this.#stage));
  }

  #receive(incoming: IncomingMessage): void {
    const chunks: Uint8Array[] = [];
    let length = 0;
    incoming.on("data", (chunk: Uint8Array) => {
      length += chunk.byteLength;
      if (length > this.options.maxBytes) this.#outcome.reject(tooLarge(this.options.maxBytes));
      else chunks.push(chunk);
    });
    incoming.on("error", (thrown) => this.#fail(thrown));
    incoming.on("end", () => {
      if (!incoming.complete) return this.#fail("CONNECTION_RESET");
      const { resolve, reject } = this.#outcome;
      toResponse(incoming, Buffer.concat(chunks), this.options).then(resolve, reject);
    });
  }
}

async function toResponse(
  incoming: IncomingMessage,
  raw: Uint8Array,
  { maxBytes }: TransportOptions,
): Promise<Response> {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  if (status < 200 || status > 599) {
    throw new LoginError("NETWORK", "The answer is not HTTP", { reason: `status ${status}` });
  }
  const hasNoBody = status === 204 || status === 205 || status === 304;
  const body = await decompress(raw, headers.get("content-encoding"), maxBytes);
  return new Response(hasNoBody ? null : new Uint8Array(body), { status, headers });
}

/** We ask for no compression; some proxies compress all the same. */
async function decompress(
  raw: Uint8Array,
  encoding: string | null,
  maxOutputLength: number,
): Promise<Uint8Array> {
  if (!encoding || /^identity$/i.test(encoding)) return raw;
  const zlib = await import("node:zlib");
  const decoders = {
    gzip: zlib.gunzipSync,
    "x-gzip": zlib.gunzipSync,
    deflate: zlib.inflateSync,
    br: zlib.brotliDecompressSync,
  };
  const name = encoding.toLowerCase() as keyof typeof decoders;
  try {
    if (Object.hasOwn(decoders, name)) return decoders[name](raw, { maxOutputLength });
  } catch {
    throw tooLarge(maxOutputLength);
  }
  throw new LoginError("TOKEN_RESPONSE_INVALID", "The issuer's answer is not usable", {
    reason: "it is compressed in a way that was not asked for",
  });
}

function proxyTimeout(url: URL, { env = {} }: TransportOptions): LoginError {
  const proxy = chooseProxy(env, url);
  return new LoginError(
    "PROXY_UNREACHABLE",
    `The proxy at ${proxy?.host}:${proxy?.port} cannot be reached`,
    {
      reason: "it made no connection in time",
      hint: `check ${proxy?.variable}, and whether the proxy is up`,
      requestSent: false,
    },
  );
}

function tooLarge(maxBytes: number): LoginError {
  return new LoginError("RESPONSE_TOO_LARGE", "The issuer's answer is not usable", {
    reason: `its body is larger than ${maxBytes} bytes, or broken`,
  });
}
