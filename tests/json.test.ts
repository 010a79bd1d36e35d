import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatJson, isJsonObject, parseJson } from "../src/json.ts";
import { verifies } from "./testing/verifies.ts";

const LIMITS = { maxLength: 10_000, maxDepth: 5 };

test("parseJson() reads what JSON.parse() reads, within its limits", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
    const text = JSON.stringify(value);
    fc.pre(text.length <= LIMITS.maxLength);
    assert.deepEqual(parseJson(text, LIMITS), JSON.parse(text));
  }));
});

verifies("S38", "parseJson() refuses depth and length before it builds anything", () => {
  assert.throws(() => parseJson("[".repeat(200_000), { maxLength: 1e6, maxDepth: 64 }), /nested/);
  assert.throws(() => parseJson(`{"a":`.repeat(6) + "1" + "}".repeat(6), LIMITS), /nested/);
  assert.throws(() => parseJson(`"${"x".repeat(10_000)}"`, LIMITS), /too long/);
  assert.deepEqual(parseJson('"[[[[[[[[[["', LIMITS), "[[[[[[[[[[");
  assert.deepEqual(parseJson('["\\"[[[[[[[[["]', LIMITS), ['"[[[[[[[[[']);
});

test("parseJson() never repeats the text in its error", () => {
  assert.throws(
    () => parseJson("secret-token", LIMITS),
    (error: Error) => !error.message.includes("secret"),
  );
});

test("isJsonObject() knows objects from all else", () => {
  assert.ok(isJsonObject({}));
  for (const value of [null, [], "x", 1, undefined]) assert.ok(!isJsonObject(value));
});

test("formatJson() writes what reads back the same, and nothing that a terminal obeys", () => {
  assert.equal(
    formatJson({ a: "\x9b\u202e\u{e0041}é😀" }),
    '{"a":"\\u009b\\u202e\\udb40\\udc41é😀"}',
  );
  fc.assert(fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
    const written = formatJson([value, text]);
    assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify([value, text])));
    assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(written));
  }));
});
