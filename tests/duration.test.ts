import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDuration } from "../src/duration.ts";

test("parseDuration() reads units, sums and plain seconds", () => {
  const rows: [string, number][] = [
    ["10m", 600_000],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["0", 0],
    ["45", 45_000],
  ];
  for (const [text, ms] of rows) assert.equal(parseDuration(text, "--timeout"), ms, text);
});

test("parseDuration() refuses anything else, and what no timer can count", () => {
  for (const text of ["", "-1", "10 m", "1.5h", "m", "10mx", "9999999h", "1e3", "∞"]) {
    assert.throws(() => parseDuration(text, "--timeout"), { code: "USAGE" }, text);
  }
});

test("formatDuration() names the largest unit that fits", () => {
  const rows: [number, string][] = [
    [0, "0 ms"],
    [50, "50 ms"],
    [1_400, "1 s"],
    [600_000, "10 min"],
    [7_200_000, "2 hours"],
    [94_608_000_000, "1095 days"],
  ];
  for (const [ms, text] of rows) assert.equal(formatDuration(ms), text);
});
