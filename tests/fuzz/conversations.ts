import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AuthStatusParams,
  CancelParams,
  InitializeParams,
  NoParams,
  parseParams,
  ReadParams,
  RefreshedExternalTokens,
  StartParams,
} from "../../src/app_server_params.ts";
import { createKeyDecoder } from "../../src/key_decoder.ts";
import { createLineSplitter, type Line } from "../../src/line_splitter.ts";
import { createMcpTransport } from "../../src/mcp_transport.ts";
import { parseJSONRPCMessage } from "../../src/mcp_sdk.ts";
import { createPaste } from "../../src/paste.ts";
import { RpcError } from "../../src/rpc_error.ts";
import { SILENT_LOG } from "../../src/world.ts";
import { createAttempt } from "../testing/attempt.ts";
import { type FuzzProperty, fuzzProperty, MARK } from "./fuzz_property.ts";
import { hostileJson, hostileText, nasty } from "./hostile.ts";

const UNCLEAN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const attempt = await createAttempt("https://issuer.test");
const ADDRESS = `http://127.0.0.1:1455/auth/callback?code=${MARK}&state=`;
const KEYS = new Set(["c", "q", "d"]);

const REQUEST = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "status" } };
const CANCELLED = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
const ANSWER = { jsonrpc: "2.0", id: 1, result: { action: "accept" } };
const START = {
  ...{ type: "chatgptAuthTokens", accessToken: MARK, chatgptAccountId: "acct", apiKey: MARK },
  ...{ chatgptPlanType: "plus", codexStreamlinedLogin: true, appBrand: "codex", region: "eu" },
};
const INITIALIZE = {
  clientInfo: { name: "editor", title: null, version: "1" },
  capabilities: { experimentalApi: true, optOutNotificationMethods: [MARK] },
};
const SCHEMAS = [
  ...[InitializeParams, StartParams, CancelParams, ReadParams, AuthStatusParams, NoParams],
  RefreshedExternalTokens,
];

export const CONVERSATIONS: readonly FuzzProperty[] = [
  fuzzProperty(
    "pastes, one after the other",
    ["S2", "S4", "S64"],
    fc.array(
      hostileText(ADDRESS + attempt.state, `${ADDRESS}wrong`, ADDRESS, attempt.state, "?error=x"),
      { minLength: 1, maxLength: 5 },
    ),
    async (pasted) => {
      let settled = 0;
      const tried: string[] = [];
      const paste = createPaste(attempt, {
        settle(): Promise<never> {
          settled++;
          return new Promise(() => {});
        },
        tryCode(code): Promise<boolean> {
          tried.push(code);
          return Promise.resolve(false);
        },
      }, SILENT_LOG);
      for (const text of pasted) {
        const outcome = await paste(text);
        // Only the right state takes it; a code without one only if the issuer knows it.
        if (outcome.isTaken) assert.ok(settled > 0);
        else {
          assert.doesNotMatch(outcome.why, UNCLEAN);
          assert.ok(!outcome.why.includes(MARK) && !outcome.why.includes(attempt.state));
        }
      }
      const everything = pasted.join("").replace(/[\s\p{C}]/gu, "");
      if (settled > 0) assert.ok(decodeLoosely(everything).includes(attempt.state));
      for (const code of tried) assert.match(code, /^[\w.~+/-]{16,2048}=*$/);
    },
  ),
  fuzzProperty(
    "keys and pastes, cut anywhere",
    ["S65"],
    fc.tuple(
      fc.array(
        fc.oneof(
          nasty,
          fc.constantFrom("\x1b[200~", "\x1b[201~", "\x1b", "\x1b[1;5C", "\x03", "c", "\r", "\x7f"),
        ),
        { maxLength: 12 },
      ),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
    ),
    ([parts, sizes, settles]) => {
      const decoder = createKeyDecoder(KEYS);
      const bytes = Buffer.from(parts.join(""));
      const events = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        events.push(...decoder.feed(bytes.subarray(at, at + size)));
        if (settles && decoder.isWaiting) events.push(...decoder.settle());
        at += size;
      }
      events.push(...decoder.settle());
      // Nothing waits for a time that was.
      assert.equal(decoder.isWaiting, false);
      for (const event of events) {
        if (event.type === "text") {
          assert.ok(event.text.trim() !== "" && event.text.length <= 65_536);
        } else assert.match(event.key, /^(enter|esc|ctrl-[cz]|[cqd])$/);
      }
      // Whatever was before, Ctrl-C is heard.
      decoder.settle();
      const heard = [...decoder.feed(Buffer.from("\x03")), ...decoder.settle()];
      assert.ok(heard.some((event) => event.type === "key" && event.key === "ctrl-c"));
    },
  ),
  fuzzProperty(
    "lines of the Model Context Protocol",
    ["S73"],
    fc.array(fc.oneof(hostileJson(REQUEST), hostileJson(CANCELLED), hostileJson(ANSWER)), {
      maxLength: 8,
    }),
    (lines) => {
      const sent: string[] = [];
      const transport = createMcpTransport(
        { send: (line) => void sent.push(line) },
        parseJSONRPCMessage,
        ({ id }) => {
          transport.answer(id, { result: {} });
          return true;
        },
      );
      for (const line of lines) transport.receive(Buffer.from(`${line}\n`));
      transport.receive();
      const parts = lines.join("\n").split("\n").length;
      assert.ok(sent.length <= parts, "an answer to what was not asked");
      for (const line of sent) {
        assert.doesNotMatch(line, UNCLEAN);
        const { jsonrpc, error, id } = JSON.parse(line);
        assert.equal(jsonrpc, "2.0");
        assert.ok(id === null || typeof id === "string" || Number.isSafeInteger(id));
        if (error) {
          assert.ok([-32700, -32600].includes(error.code));
          assert.ok(!error.message.includes(MARK));
        }
      }
    },
  ),
  fuzzProperty(
    "parameters that are refused",
    ["S64", "S73"],
    fc.oneof(hostileJson(START), hostileJson(INITIALIZE)),
    (text) => {
      let params: unknown;
      try {
        params = JSON.parse(text);
      } catch {
        return;
      }
      for (const schema of SCHEMAS) {
        try {
          parseParams(schema, params);
        } catch (thrown) {
          assert.ok(thrown instanceof RpcError, String(thrown));
          assert.equal(thrown.code, -32600);
          assert.doesNotMatch(thrown.message, UNCLEAN);
          assert.ok(thrown.message.length < 400 && !thrown.message.includes(MARK), thrown.message);
        }
      }
    },
  ),
  fuzzProperty(
    "lines, cut anywhere",
    ["S73"],
    fc.tuple(
      fc.array(fc.oneof(nasty, fc.constantFrom("\n", "\r\n")), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 }),
    ),
    ([parts, sizes]) => {
      const bytes = Buffer.from(parts.join(""));
      const split = (cuts: readonly number[]): Line[] => {
        const lines: Line[] = [];
        const take = createLineSplitter(1_000, (line) => lines.push(line));
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          take(bytes.subarray(at, at + size));
          at += size;
        }
        take();
        return lines;
      };
      // Where the bytes are cut makes no difference.
      assert.deepEqual(split(sizes), split([Math.max(1, bytes.length)]));
    },
  ),
];

function decodeLoosely(text: string): string {
  return text.replace(/%[0-7][0-9a-f]/gi, (byte) => decodeURIComponent(byte));
}
