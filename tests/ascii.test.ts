import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isPrintableAscii, isVisibleAscii } from "../src/ascii.ts";

test("isVisibleAscii() and isPrintableAscii() say what the classes of characters say", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
    assert.equal(isVisibleAscii(text), /^[\x21-\x7e]*$/.test(text));
    assert.equal(isPrintableAscii(text), /^[\x20-\x7e]*$/.test(text));
  }));
});
