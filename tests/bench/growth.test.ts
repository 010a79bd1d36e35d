import assert from "node:assert/strict";
import { test } from "node:test";
import { growthOf, type Point } from "../../tools/bench/growth.ts";

function points(cost: (size: number) => number): Point[] {
  return [1, 10, 100, 1_000, 10_000].map((size) => ({ size, median: cost(size) }));
}

test("growth is told without what it costs to start at all", () => {
  const linear = growthOf(points((size) => 20 + size / 10));
  assert.equal(linear.order, "linear");
  assert.ok(Math.abs((linear.slope ?? 0) - 1) < 0.01);
  assert.equal(growthOf(points((size) => 20 + size ** 2)).order, "worse than linear");
  assert.equal(growthOf(points((size) => 20 + Math.sqrt(size))).order, "less than linear");
});

test("what hardly changes is constant", () => {
  assert.deepEqual(growthOf(points(() => 20)), { slope: undefined, order: "constant" });
  assert.equal(growthOf(points((size) => 20 + Math.sin(size))).order, "constant");
});

test("what has stopped growing is next to constant", () => {
  const stopped = growthOf(points((size) => size === 1 ? 20 : 30 + size / 10_000));
  assert.equal(stopped.order, "next to constant");
});

test("what only the largest size costs has no slope", () => {
  const late = growthOf(points((size) => size === 10_000 ? 40 : 20));
  assert.deepEqual(late, { slope: undefined, order: "constant up to the last" });
});

test("two points tell nothing", () => {
  const few = points((size) => size).slice(0, 2);
  assert.equal(growthOf(few).order, "too few points");
});
