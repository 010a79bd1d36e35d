import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, MAX_TIMER_MS, parseDuration } from "../src/duration.ts";

test("parseDuration() reads units, sums and plain seconds", () => {
  const rows: [string, number][] = [
    ["10m", 600_000],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["0", 0],
    ["45", 45_000],
    ["30d", 30 * 86_400_000],
    ["1d12h", 36 * 3_600_000],
  ];
  for (const [text, ms] of rows) assert.equal(parseDuration(text, "--min-ttl"), ms, text);
});

test("parseDuration() refuses anything else", () => {
  for (const text of ["", "-1", "10 m", "1.5h", "m", "10mx", "1D", "1w", "1e3", "∞"]) {
    assert.throws(() => parseDuration(text, "--timeout"), { code: "USAGE" }, text);
  }
});

test("parseDuration() says what is too long for a timer, and only there", () => {
  for (const text of ["9999999h", "25d", "2147484"]) {
    assert.ok(parseDuration(text, "--min-ttl") > MAX_TIMER_MS);
    assert.throws(() => parseDuration(text, "--timeout", MAX_TIMER_MS), {
      code: "USAGE",
      message: `--timeout ${text} is longer than 24 days`,
    });
  }
  assert.equal(parseDuration("24d", "--timeout", MAX_TIMER_MS), 24 * 86_400_000);
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
