import { deferred } from "./deferred.ts";
import { formatJson, isJsonObject, type JsonObject, parseJson } from "./json.ts";
import type { Line } from "./line_splitter.ts";
import { invalidRequest, RPC_CODES, RpcError } from "./rpc_error.ts";

const LIMITS = { maxLength: 1 << 20, maxDepth: 64 };

/** A number that a double cannot hold stays as it was written. */
type RequestId = string | number | RawNumber;

/** Answers before the handler is done, where something else must not be said before. Later answers are ignored. */
export type Answer = (result: JsonObject) => void;

export interface RpcHandlers {
  /**
   * Does a request; its answer is what it resolves with, unless it answered already.
   *
   * @throws {RpcError} anything else is told as an internal error, without its words.
   */
  request(method: string, params: unknown, answer: Answer): Promise<JsonObject | void>;
  notification(method: string): void;
}

export interface RpcOptions {
  send(line: string): void;
  /** The wall clock, ms since the epoch. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** What nobody can understand is passed over instead of being answered with the id null. */
  readonly ignoresUnreadable: boolean;
}

/** One side of a conversation in JSON-RPC as the reference speaks it: an object a line, without the member "jsonrpc". */
export interface RpcPeer {
  receive(line: Line): void;
  notify(method: string, params: JsonObject): void;
  /**
   * Asks the other side.
   *
   * @throws {RpcError} when it refuses, or does not answer within `limitMs`.
   */
  ask(method: string, params: JsonObject, limitMs: number): Promise<unknown>;
  /** Requests that are not answered yet. */
  unanswered(): number;
  /** A question of ours waits for its answer, so the other side has to be listened to. */
  isAsking(): boolean;
  /** Resolves when the next request is answered, or something is asked. */
  nextChange(): Promise<void>;
}

/** @see https://www.jsonrpc.org/specification */
export function createRpcPeer(handlers: RpcHandlers, options: RpcOptions): RpcPeer {
  const asked = new Map<number, (message: JsonObject) => void>();
  let lastId = -1;
  let unanswered = 0;
  let change = deferred<void>();
  const tellChange = (): void => {
    const { resolve } = change;
    change = deferred();
    resolve();
  };

  const send = (message: JsonObject): void => options.send(formatJson(message));

  function refuse(id: RequestId | null, { code, message, data }: RpcError): void {
    send({ error: { code, message, ...(data ? { data } : {}) }, id });
  }
  function refuseUnreadable(error: RpcError): void {
    if (!options.ignoresUnreadable) refuse(null, error);
  }

  async function handle(id: RequestId, method: string, params: unknown): Promise<void> {
    let isAnswered = false;
    const once = (reply: () => void): void => {
      if (!isAnswered) reply();
      isAnswered = true;
    };
    const answer: Answer = (result) => once(() => send({ id, result }));
    unanswered++;
    try {
      answer(await handlers.request(method, params, answer) ?? {});
    } catch (thrown) {
      const error = thrown instanceof RpcError
        ? thrown
        : new RpcError(RPC_CODES.INTERNAL_ERROR, "internal error");
      once(() => refuse(id, error));
    } finally {
      unanswered--;
      tellChange();
    }
  }

  function dispatch(message: JsonObject): void {
    const { id, method, params } = message;
    if (typeof method === "string") {
      if (id === undefined) return handlers.notification(method);
      if (isRequestId(id)) return void handle(id, method, params);
      return refuseUnreadable(invalidRequest("The id must be a string or a safe integer"));
    }
    if (method === undefined && ("result" in message || "error" in message)) {
      if (typeof id === "number") asked.get(id)?.(message);
      return;
    }
    const noMethod = invalidRequest("Invalid request: missing field `method`");
    if (isRequestId(id) && !options.ignoresUnreadable) refuse(id, noMethod);
    else refuseUnreadable(noMethod);
  }

  return {
    receive(line): void {
      if ("tooLong" in line) {
        const limit = `${LIMITS.maxLength} bytes`;
        return refuseUnreadable(invalidRequest(`A line of ${line.tooLong} bytes exceeds ${limit}`));
      }
      if (line.text.trim() === "") return;
      let message: unknown;
      try {
        message = parseJson(line.text, LIMITS, keepLongIds);
      } catch (thrown) {
        const { message } = thrown as SyntaxError;
        return refuseUnreadable(new RpcError(RPC_CODES.PARSE_ERROR, message));
      }
      if (isJsonObject(message)) dispatch(message);
      else refuseUnreadable(invalidRequest("A line must hold one JSON object"));
    },
    notify: (method, params) => send({ method, params, emittedAtMs: options.now() }),
    async ask(method, params, limitMs): Promise<unknown> {
      const id = ++lastId;
      const answered = deferred<JsonObject>();
      const enough = new AbortController();
      asked.set(id, answered.resolve);
      try {
        send({ method, id, params });
        tellChange();
        const message = await Promise.race([
          answered.promise,
          options.sleep(limitMs, enough.signal).then(() => undefined),
        ]);
        if (message && "result" in message) return message["result"];
        const why = message ? "was refused" : "was not answered in time";
        throw new RpcError(RPC_CODES.INTERNAL_ERROR, `The request ${method} ${why}`);
      } finally {
        asked.delete(id);
        enough.abort();
      }
    },
    unanswered: () => unanswered,
    isAsking: () => asked.size > 0,
    nextChange: () => change.promise,
  };
}

/** Where the runtime can write such a number back, it is kept; elsewhere it is refused, as it would come back as another. */
interface RawNumber {
  readonly rawJSON: string;
}

const { rawJSON } = JSON as { rawJSON?: (text: string) => RawNumber };

function keepLongIds(name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isLong = name === "id" && typeof value === "number" && !Number.isSafeInteger(value) &&
    source !== undefined && /^-?\d{16,19}$/.test(source);
  return isLong && rawJSON ? rawJSON(source) : value;
}

function isRequestId(id: unknown): id is RequestId {
  if (typeof id === "string" || Number.isSafeInteger(id)) return true;
  // What came as an object has a prototype; what JSON.rawJSON makes has none.
  return isJsonObject(id) && Object.getPrototypeOf(id) === null &&
    typeof id["rawJSON"] === "string";
}
