import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineSplitter, type Line } from "../src/line_splitter.ts";
import { verifies } from "./testing/verifies.ts";

function split(text: string, sizes: readonly number[], maxBytes: number): Line[] {
  const lines: Line[] = [];
  const take = createLineSplitter(maxBytes, (line) => lines.push(line));
  const bytes = Buffer.from(text);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length > 0 ? sizes[i % sizes.length] ?? 1 : bytes.length;
    take(bytes.subarray(at, at + size));
    at += size;
  }
  take();
  return lines;
}

test("lines come whole, however the bytes are cut", () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replace(/[\n\r]/g, ""));
  fc.assert(fc.property(
    fc.array(line),
    fc.array(fc.integer({ min: 1, max: 7 })),
    (lines, sizes) => {
      const text = lines.map((one) => `${one}\n`).join("");
      const whole = lines.map((one) => ({ text: Buffer.from(one).toString() }));
      assert.deepEqual(split(text, sizes, 1_000_000), whole);
    },
  ));
});

test("a line that is too long is passed over, and those around it are not", () => {
  const text = `before\n${"x".repeat(50)}\nafter\r\n\nlast`;
  for (const sizes of [[], [1], [7], [49]]) {
    assert.deepEqual(split(text, sizes, 10), [
      { text: "before" },
      { tooLong: 50 },
      { text: "after" },
      { text: "" },
      { text: "last" },
    ]);
  }
});

verifies("S73", "of an endless line nothing is kept", () => {
  const take = createLineSplitter(1_000, () => assert.fail("it has no end"));
  const before = process.memoryUsage().rss;
  const part = Buffer.alloc(100_000, 0x61);
  for (let i = 0; i < 2_000; i++) take(part);
  assert.ok(process.memoryUsage().rss - before < 100e6);
});
