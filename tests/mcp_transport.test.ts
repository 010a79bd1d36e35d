import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineOutput } from "../src/line_output.ts";
import { parseJSONRPCMessage } from "../src/mcp_sdk.ts";
import { createMcpTransport, type McpTransport, type RpcRequest } from "../src/mcp_transport.ts";

interface Ends {
  readonly transport: McpTransport;
  readonly written: Record<string, unknown>[];
  readonly received: unknown[];
  readonly taken: RpcRequest[];
  put(text: string): void;
}

/** With an output that takes everything, and a peer for the methods whose name begins with "own". */
function createEnds(): Ends {
  const written: Record<string, unknown>[] = [];
  const received: unknown[] = [];
  const taken: RpcRequest[] = [];
  const output = createLineOutput(
    (text): Promise<void> => {
      written.push(...text.trimEnd().split("\n").map((line) => JSON.parse(line)));
      return Promise.resolve();
    },
    () => {},
  );
  const transport = createMcpTransport(output, parseJSONRPCMessage, (request) => {
    const isOwn = request.method.startsWith("own");
    if (isOwn) taken.push(request);
    return isOwn;
  });
  transport.onmessage = (message) => void received.push(message);
  return {
    transport,
    written,
    received,
    taken,
    put: (text) => transport.receive(Buffer.from(text)),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const refusal = (id: unknown, code: number, message: string): unknown => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
});

test("each message goes to the one whose it is", async () => {
  const { transport, received, taken, written, put } = createEnds();
  await put(
    '{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\n  \n{"jsonrpc":"2.0","id":"a","method":"own/one"}\n',
  );
  await put('{"jsonrpc":"2.0","method":"notifications/initialized"}\n{"jsonrpc":"2.0","id":5,"re');
  await put('sult":{}}\n');
  assert.equal(received.length, 3);
  assert.deepEqual(taken.map(({ id }) => id), ["a"]);
  transport.answer("a", { result: { done: "\u202e" } });
  transport.notify("own/event", { n: 1 });
  await transport.send({ jsonrpc: "2.0", id: 1, result: {} });
  await settle();
  assert.deepEqual(written, [
    { jsonrpc: "2.0", id: "a", result: { done: "\u202e" } },
    { jsonrpc: "2.0", method: "own/event", params: { n: 1 } },
    { jsonrpc: "2.0", id: 1, result: {} },
  ]);
});

test("a line that is too long, or no message, is answered, and the stream goes on", async () => {
  const { written, received, put } = createEnds();
  await put(`{"jsonrpc":"2.0","id":1,"method":"${"x".repeat(1 << 20)}"}\n`);
  await put("{]\n");
  await put(`${"[".repeat(100)}\n`);
  await put(
    '[]\n"text"\n{"id":7,"method":"no version"}\n{"jsonrpc":"2.0","id":1.5,"method":"x"}\n',
  );
  await put(
    '{"jsonrpc":"2.0","id":null,"method":"x"}\n{"jsonrpc":"2.0","id":8,"result":1,"error":2}\n',
  );
  await put('{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
  await settle();
  const invalid = "Not a JSON-RPC 2.0 message";
  assert.deepEqual(written, [
    refusal(null, -32600, "A line is longer than 1 MiB"),
    refusal(null, -32700, "The text is not JSON"),
    refusal(null, -32700, "The JSON text is nested too deeply"),
    refusal(null, -32600, invalid),
    refusal(null, -32600, invalid),
    refusal(7, -32600, invalid),
    refusal(null, -32600, invalid),
    refusal(null, -32600, invalid),
  ]);
  assert.equal(received.length, 1);
});

test("whatever comes, the transport lives, and a refusal repeats nothing of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { maxLength: 20 }), async (lines) => {
      const { written, received, put } = createEnds();
      await put(lines.map((line) => `${line}\n`).join(""));
      await put('{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
      await settle();
      assert.equal(received.length, 1);
      for (const { error } of written) {
        assert.ok([-32700, -32600].includes((error as { code: number }).code));
      }
    }),
    { numRuns: 200 },
  );
});

test("answered() waits for what is open, and not for what was given up", async () => {
  const { transport, put } = createEnds();
  await transport.answered();
  await put('{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"jsonrpc":"2.0","id":2,"method":"own"}\n');
  await put('{"jsonrpc":"2.0","id":3,"method":"ping"}\n');
  let isAnswered = false;
  const answered = transport.answered().then(() => isAnswered = true);
  await put('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n');
  transport.answer(2, { result: {} });
  await settle();
  assert.equal(isAnswered, false);
  await transport.send({ jsonrpc: "2.0", id: 3, result: {} });
  await answered;
});
