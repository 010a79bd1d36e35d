import assert from "node:assert/strict";
import { test } from "node:test";
import { medianOf, pairedRatio, quartilesOf } from "../../tools/bench/quartiles.ts";

test("quartiles are of what was measured, whatever its order", () => {
  assert.deepEqual(quartilesOf([5, 1, null, 3, 2, 4]), {
    ...{ count: 5, least: 1, first: 2, median: 3, third: 4, most: 5 },
  });
  assert.equal(quartilesOf([1, 2, 3, 4])?.median, 2.5);
  assert.equal(quartilesOf([1, 2, 3, 4])?.first, 1.75);
  assert.equal(quartilesOf([7])?.third, 7);
});

test("where nothing was measured there are none", () => {
  assert.equal(quartilesOf([]), undefined);
  assert.equal(quartilesOf([null, NaN]), undefined);
  assert.equal(medianOf([null]), undefined);
});

test("a ratio is of the same rounds: what disturbs one disturbs both", () => {
  assert.equal(pairedRatio([10, 200, 10], [5, 100, 5]), 2);
  assert.equal(pairedRatio([10, null, 30], [5, 1, null]), 2);
  assert.equal(pairedRatio([10], [0]), undefined);
  assert.equal(pairedRatio([10, 20], []), undefined);
});
