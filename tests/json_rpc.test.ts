import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createRpcPeer, type RpcHandlers, type RpcOptions, type RpcPeer } from "../src/json_rpc.ts";
import { invalidRequest, RpcError, toRpcError } from "../src/rpc_error.ts";
import { verifies } from "./testing/verifies.ts";

type Message = Record<string, unknown>;

function createPeer(
  handlers: Partial<RpcHandlers> = {},
  options: Partial<RpcOptions> = {},
): { peer: RpcPeer; sent: Message[] } {
  const sent: Message[] = [];
  const peer = createRpcPeer({
    request: (method) => Promise.resolve({ method }),
    notification: () => {},
    ...handlers,
  }, {
    send: (line) => sent.push(JSON.parse(line)),
    now: () => 17,
    sleep: () => new Promise(() => {}),
    ignoresUnreadable: false,
    ...options,
  });
  return { peer, sent };
}

const text = (message: unknown): { text: string } => ({ text: JSON.stringify(message) });

async function answered(peer: RpcPeer): Promise<void> {
  while (peer.unanswered() > 0) await peer.nextChange();
}

test("answers have the reference's form: no version, the error before the id", async () => {
  const lines: string[] = [];
  const { peer } = createPeer({
    request: (method) =>
      method === "bad"
        ? Promise.reject(new RpcError(-32603, "no", { code: "DNS" }))
        : Promise.resolve({ fine: true }),
  }, { send: (line) => lines.push(line) });
  peer.receive(text({ jsonrpc: "2.0", id: 1, method: "good" }));
  peer.receive(text({ id: "two", method: "bad" }));
  await answered(peer);
  peer.notify("told", { a: 1 });
  assert.deepEqual(lines, [
    '{"id":1,"result":{"fine":true}}',
    '{"error":{"code":-32603,"message":"no","data":{"code":"DNS"}},"id":"two"}',
    '{"method":"told","params":{"a":1},"emittedAtMs":17}',
  ]);
});

test("a handler that answers early is answered once, whatever comes of it", async () => {
  const late = deferred<Message>();
  const { peer, sent } = createPeer({
    request: async (_, __, answer): Promise<Message> => {
      answer({ early: true });
      answer({ twice: true });
      return await late.promise;
    },
  });
  peer.receive(text({ id: 1, method: "x" }));
  assert.deepEqual(sent, [{ id: 1, result: { early: true } }]);
  assert.equal(peer.unanswered(), 1);
  late.reject(new Error("too late"));
  await answered(peer);
  assert.equal(sent.length, 1);
});

verifies(["S69", "S73"], "a bug in a handler is told without its words", async () => {
  const { peer, sent } = createPeer({ request: () => Promise.reject(new Error("sk-secret")) });
  peer.receive(text({ id: 1, method: "x" }));
  await answered(peer);
  assert.deepEqual(sent, [{ error: { code: -32603, message: "internal error" }, id: 1 }]);
});

test("a question is answered, refused, or given up", async () => {
  const sleeping = deferred<void>();
  const { peer, sent } = createPeer({}, { sleep: () => sleeping.promise });
  const one = peer.ask("refresh", { reason: "unauthorized" }, 1_000);
  const two = peer.ask("refresh", {}, 1_000);
  const three = peer.ask("refresh", {}, 1_000);
  assert.deepEqual(sent.map(({ id, method }) => [id, method]), [
    [0, "refresh"],
    [1, "refresh"],
    [2, "refresh"],
  ]);
  peer.receive(text({ id: 99, result: "nobody asked" }));
  peer.receive(text({ id: "0", result: "another id" }));
  peer.receive(text({ id: 1, error: { code: -1, message: "no" } }));
  peer.receive(text({ id: 0, result: { token: "t" } }));
  assert.deepEqual(await one, { token: "t" });
  await assert.rejects(two, /was refused/);
  sleeping.resolve();
  await assert.rejects(three, /was not answered in time/);
  peer.receive(text({ id: 2, result: "too late" }));
  assert.equal(sent.length, 3);
});

test("our failures keep their code, and refusals are told from failures", () => {
  const refusal = toRpcError(new LoginError("LOGIN_METHOD_FORBIDDEN", "Not here"), "logout: ");
  assert.equal(refusal.code, -32600);
  assert.equal(refusal.message, "logout: Not here");
  const failure = toRpcError(new LoginError("DNS", "No such\u001b[2J host", { reason: "why" }));
  assert.equal(failure.code, -32603);
  assert.equal(failure.message, "No such[2J host: why");
  assert.deepEqual(Object.keys(failure.data ?? {}), ["code", "message", "cause", "hint"]);
});

test("an id that no double can hold comes back as it was written, or is refused", async () => {
  for (const id of ["9007199254740993", "-9223372036854775808"]) {
    const lines: string[] = [];
    const { peer } = createPeer({}, { send: (line) => lines.push(line) });
    peer.receive({ text: `{"id":${id},"method":"x","params":{"id":9007199254740993}}` });
    await answered(peer);
    const canWriteBack = "rawJSON" in JSON;
    assert.equal(lines[0]?.includes(canWriteBack ? `"id":${id}` : `"id":null`), true, lines[0]);
  }
});

/** Lines of every kind: requests, notifications, answers, halves of them, and noise. */
const id = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constantFrom(null, true, 1.5, [], {}, { rawJSON: "1" }),
);
const method = fc.oneof(
  fc.constantFrom("initialize", "account/read", "__proto__", "constructor"),
  fc.string(),
  fc.anything(),
);
const message = fc.record(
  { id, method, params: fc.anything(), result: fc.anything(), jsonrpc: fc.constant("2.0") },
  { requiredKeys: [] },
);
const line = fc.oneof(
  { weight: 6, arbitrary: message.map((one) => JSON.stringify(one) ?? "") },
  fc.string(),
  fc.json(),
  fc.tuple(message, fc.nat(50)).map(([one, end]) => JSON.stringify(one).slice(0, end)),
  fc.constant("[".repeat(100_000)),
);

verifies(
  "S73",
  "whatever comes, every request with an id is answered once, and the rest with the id null at most",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
        const { peer, sent } = createPeer({
          request: (name) =>
            name === "account/read"
              ? Promise.resolve({})
              : Promise.reject(invalidRequest("unknown method")),
        });
        const expected = lines.flatMap((one) => {
          const parsed = parse(one);
          const known = parsed?.["id"];
          const isKnown = typeof known === "string" || Number.isSafeInteger(known);
          if (!isKnown) return [];
          if (typeof parsed?.["method"] === "string") return [known];
          return parsed?.["method"] === undefined && "result" in (parsed ?? {}) ? [] : [known];
        });
        for (const one of lines) peer.receive({ text: one });
        await answered(peer);
        const ids = sent.map((one) => one["id"]).filter((one) => one !== null);
        // -0 is written as 0.
        const sorted = (list: unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
        assert.deepEqual(sorted(ids), sorted(expected));
        assert.ok(sent.length <= lines.length);
      }),
    );
  },
);

function parse(one: string): Message | undefined {
  try {
    const parsed: unknown = JSON.parse(one);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? parsed as Message : undefined;
  } catch {
    return undefined;
  }
}
