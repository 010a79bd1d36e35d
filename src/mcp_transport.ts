import type { JSONRPCMessage, RequestId, Transport } from "@modelcontextprotocol/server";
import { formatJson, isJsonObject, parseJson } from "./json.ts";
import type { LineOutput } from "./line_output.ts";
import { createLineSplitter, type Line } from "./line_splitter.ts";
import { RPC_CODES } from "./rpc_error.ts";

const MAX_LINE_BYTES = 1 << 20;
const MAX_DEPTH = 64;

/** A request of the peer that is well formed. */
export interface RpcRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params?: unknown;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Messages as lines of JSON, for the SDK and beside it. */
export interface McpTransport extends Transport {
  /** Takes what came, or without bytes its end. */
  receive(bytes?: Uint8Array): void;
  /** Answers a request that did not go to the SDK. */
  answer(id: RequestId, outcome: { readonly result: unknown } | { readonly error: RpcError }): void;
  notify(method: string, params: unknown): void;
  /** Resolves when each request was answered, or given up by its sender. */
  answered(): Promise<void>;
}

/**
 * @param parse the SDK's judge of a message. It throws.
 * @param takeRequest gets each request first; true when the SDK shall not see it.
 */
export function createMcpTransport(
  output: Pick<LineOutput, "send">,
  parse: (value: unknown) => JSONRPCMessage,
  takeRequest: (request: RpcRequest) => boolean,
): McpTransport {
  const open = new Set<RequestId>();
  const waiters: (() => void)[] = [];

  function close(id: unknown): void {
    open.delete(id as RequestId);
    if (open.size === 0) waiters.splice(0).forEach((wake) => wake());
  }
  function send(message: unknown): void {
    output.send(formatJson(message));
  }
  function refuse(id: RequestId | null, code: number, message: string): void {
    send({ jsonrpc: "2.0", id, error: { code, message } });
  }

  function take(line: Line): void {
    if ("tooLong" in line) {
      return refuse(null, RPC_CODES.INVALID_REQUEST, "A line is longer than 1 MiB");
    }
    if (line.text.trim() === "") return;
    let value: unknown;
    try {
      value = parseJson(line.text, { maxLength: MAX_LINE_BYTES, maxDepth: MAX_DEPTH });
    } catch (thrown) {
      return refuse(null, RPC_CODES.PARSE_ERROR, (thrown as SyntaxError).message);
    }
    let message: JSONRPCMessage;
    try {
      message = parse(value);
    } catch {
      // An answer to an answer could go on for ever.
      if (!isAnswer(value)) {
        refuse(idOf(value), RPC_CODES.INVALID_REQUEST, "Not a JSON-RPC 2.0 message");
      }
      return;
    }
    if ("method" in message && "id" in message) {
      open.add(message.id);
      if (takeRequest(message)) return;
    } else if ("method" in message && message.method === "notifications/cancelled") {
      close(message.params?.["requestId"]);
    }
    transport.onmessage?.(message);
  }

  const split = createLineSplitter(MAX_LINE_BYTES, take);
  const transport: McpTransport = {
    receive: split,
    start: () => Promise.resolve(),
    send(message): Promise<void> {
      send(message);
      if (!("method" in message)) close(message.id);
      return Promise.resolve();
    },
    close(): Promise<void> {
      transport.onclose?.();
      return Promise.resolve();
    },
    answer(id, outcome): void {
      send({ jsonrpc: "2.0", id, ...outcome });
      close(id);
    },
    notify: (method, params) => send({ jsonrpc: "2.0", method, params }),
    answered: () => open.size === 0 ? Promise.resolve() : new Promise((done) => waiters.push(done)),
  };
  return transport;
}

function isAnswer(value: unknown): boolean {
  return isJsonObject(value) && !("method" in value) && ("result" in value || "error" in value);
}

function idOf(value: unknown): RequestId | null {
  const id = isJsonObject(value) ? value["id"] : null;
  return typeof id === "string" || Number.isSafeInteger(id) ? id as RequestId : null;
}
