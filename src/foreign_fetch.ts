import { deferred } from "./deferred.ts";
import type { ErrorCode } from "./error_kinds.ts";
import { classOf, LoginError } from "./errors.ts";
import { TRANSPORT_DEFAULTS, type TransportOptions } from "./http.ts";
import { parseSecureUrl } from "./oauth/issuer.ts";
import { printable } from "./printable.ts";
import type { Fetch } from "./world.ts";

/** What a host may hand in for our calls: the platform's `fetch`, or one with the same answers. */
export type ForeignFetch = (
  url: string,
  init: {
    readonly method: "GET" | "POST";
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/**
 * A host's `fetch` as our transport: bounded in time and size whatever it does, no redirect followed, and every failure ours. What
 * it throws is never told: it may hold what it was given. Nor is it known how far a failed call came, so none is repeated.
 */
export function createForeignFetch(
  foreign: ForeignFetch,
  { totalMs, maxBytes }: Pick<TransportOptions, "totalMs" | "maxBytes"> = TRANSPORT_DEFAULTS,
): Fetch {
  return async (address, init) => {
    const url = parseSecureUrl(address, "address");
    init.signal?.throwIfAborted();
    const over = new AbortController();
    const ended = deferred<never>();
    const timer = setTimeout(
      () => ended.reject(failure("RESPONSE_TIMEOUT", url, "no complete answer in time")),
      Math.min(init.limitMs ?? totalMs, totalMs),
    );
    const abort = (): void => ended.reject(init.signal?.reason);
    init.signal?.addEventListener("abort", abort, { once: true });

    /** Does a step that is the host's: whatever it throws, even a LoginError, is its own. */
    async function take<T>(step: () => T | Promise<T>): Promise<T> {
      try {
        return await step();
      } catch (thrown) {
        throw failure("NETWORK", url, `the program's own fetch failed with ${classOf(thrown)}`);
      }
    }

    async function call(): Promise<Response> {
      const answer = await take(() =>
        foreign(address, {
          // A host need not know the others.
          method: init.method === "POST" ? "POST" : "GET",
          headers: { ...init.headers },
          ...(init.body === undefined ? {} : { body: init.body }),
          redirect: "manual",
          signal: over.signal,
        })
      );
      const { head, reader } = await take(() => open(answer));
      // Whatever is left of it when this is over, however it ends; nobody waits for that.
      const discard = (): void => void take(() => reader?.cancel()).catch(() => {});
      if (over.signal.aborted) discard();
      over.signal.addEventListener("abort", discard, { once: true });
      if (head === undefined) {
        throw failure("NETWORK", url, "its answer came by a redirect, which is never followed");
      }
      const body = reader && await readBody(() => take(() => reader.read()), maxBytes, over.signal);
      return await take(() => new Response(body, head));
    }

    try {
      return await Promise.race([call(), ended.promise]);
    } finally {
      clearTimeout(timer);
      init.signal?.removeEventListener("abort", abort);
      over.abort();
    }
  };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The head, unless it is somebody else's than was asked; and what reads the body. */
function open(
  answer: Response,
): { head: ResponseInit | undefined; reader: Reader | undefined } {
  const { status, redirected, type, body } = answer;
  if (!Number.isInteger(status)) throw new TypeError("no answer");
  const headers = new Headers(answer.headers);
  // What is read here is decoded already.
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  const isMoved = redirected || type === "opaqueredirect";
  const reader = body?.getReader();
  return { head: isMoved ? undefined : { status, headers }, reader };
}

/** Every part counts for at least one byte, so that empty ones come to an end too. */
async function readBody(
  read: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (!signal.aborted) {
    const { done, value } = await read();
    if (done || !ArrayBuffer.isView(value)) break;
    length += Math.max(value.byteLength, 1);
    if (length > maxBytes) {
      throw new LoginError("RESPONSE_TOO_LARGE", "The issuer's answer is not usable", {
        reason: `its body is larger than ${maxBytes} bytes`,
      });
    }
    chunks.push(value);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function failure(code: ErrorCode, url: URL, reason: string): LoginError {
  return new LoginError(code, `The issuer at ${printable(url.host)} could not be asked`, {
    reason,
  });
}
