import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maskKey, printable } from "../src/printable.ts";
import { verifies } from "./testing/verifies.ts";

test("printable() drops what could move a cursor, hide text or turn it round", () => {
  assert.equal(printable("a\x1b[31mred\x1b]52;c;aGk=\x07\x9b2J"), "a[31mred]52;c;aGk=2J");
  assert.equal(printable("in\u202Evert\u2066ed\u200B\u200D\uFEFF"), "inverted");
  assert.equal(printable("one\r\n\ttwo\u2028three"), "one two three");
  assert.equal(printable("half \ud83d gone"), "half gone");
});

test("printable() cuts by whole characters", () => {
  assert.equal(printable("😀".repeat(400), 3), "😀😀…");
  assert.equal([...printable("x".repeat(20_000))].length, 300);
});

verifies(
  "S65",
  "printable() gives no control or format character and no more than it was allowed, whatever it is given",
  () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.integer({ min: 1, max: 50 }),
        (text, length) => {
          const shown = printable(text, length);
          assert.ok(!/[\p{C}\p{Zl}\p{Zp}]/u.test(shown));
          assert.ok([...shown].length <= length);
        },
      ),
    );
  },
);

test("maskKey() shows nothing of a short key and little of a long one", () => {
  assert.equal(maskKey(""), "***");
  assert.equal(maskKey("sk-1234567890"), "***");
  assert.equal(maskKey("sk-12345678901"), "***");
  assert.equal(maskKey("sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"), "sk-proj-***wxyz");
});

test("maskKey() never shows a part of a multi-byte character, nor half of any key", () => {
  assert.equal(maskKey(`sk-1234${"é".repeat(20)}`), "***");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (key) => {
    const shown = maskKey(key).replace("***", "");
    assert.ok([...shown].length * 2 <= [...key].length);
  }));
});
