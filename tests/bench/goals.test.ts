import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeGoals } from "../../tools/bench/goals.ts";
import type { SectionResult } from "../../tools/bench/measure.ts";

function section(
  name: string,
  measure: string,
  quantity: string,
  figures: Record<string, number[]>,
): SectionResult {
  const series = Object.entries(figures).map(([subject, samples]) => ({ subject, samples }));
  return { name, title: name, measures: [{ name: measure, quantity, unit: "", series }] };
}

function verdict(sections: readonly SectionResult[], what: string, against: string): unknown {
  const goal = judgeGoals(sections).find((one) => one.what === what && one.bound.endsWith(against));
  assert.ok(goal, `there is no goal ${what}`);
  return [goal.figure, goal.isMet];
}

test("a goal is met or missed by the ratio of the medians", () => {
  const status = section("start", "status, API key", "wall", {
    executable: [3, 4, 5],
    reference: [8, 8, 8],
    floor: [2, 2, 2],
  });
  assert.deepEqual(verdict([status], "status, API key: time", "reference"), [0.5, true]);
  assert.deepEqual(verdict([status], "status, API key: time", "floor"), [2, false]);
});

test("more is better where something is answered", () => {
  const flood = (own: number) =>
    section("flood", "flood, unknown path", "answered", { executable: [own], reference: [10] });
  const what = "flood of unknown paths: answered";
  assert.deepEqual(verdict([flood(20)], what, "reference"), [2, true]);
  assert.deepEqual(verdict([flood(5)], what, "reference"), [0.5, false]);
});

test("what was not measured is neither", () => {
  assert.deepEqual(verdict([], "download", "reference"), [undefined, undefined]);
  const alone = section("size", "download", "size", { executable: [5] });
  assert.deepEqual(verdict([alone], "download", "reference"), [undefined, undefined]);
});

test("many processes ask once, and take no longer than two", () => {
  const many = {
    ...section("many", "", "", {}),
    measures: [
      ...section("many", "token, 1 process", "wall", { executable: [10] }).measures,
      ...section("many", "token, 20 processes", "wall", { executable: [25] }).measures,
      ...section("many", "token, 20 processes", "refreshes", { executable: [1, 1] }).measures,
    ],
  };
  assert.deepEqual(verdict([many], "20 processes refreshing: requests", "1"), [1, true]);
  assert.deepEqual(verdict([many], "20 processes refreshing: time", "process"), [2.5, false]);
});
