import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatRfc3339, parseRfc3339 } from "../src/rfc3339.ts";

test("parseRfc3339() reads times with any offset, fraction and separator", () => {
  const rows: [text: string, iso: string][] = [
    ["2026-11-21T00:02:25Z", "2026-11-21T00:02:25.000Z"],
    ["2026-11-21t00:02:25.601538123z", "2026-11-21T00:02:25.601Z"],
    ["2026-11-21 00:02:25+02:00", "2026-11-20T22:02:25.000Z"],
    ["2026-11-21T00:02:25.5-05:30", "2026-11-21T05:32:25.500Z"],
    ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ];
  for (const [text, iso] of rows) assert.equal(formatRfc3339(parseRfc3339(text) ?? 0), iso, text);
});

test("parseRfc3339() refuses what no clock or calendar shows", () => {
  for (
    const text of [
      "",
      "2026-11-21",
      "2026-11-21T00:02:25",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-02-30T00:00:00Z",
      "2025-02-29T00:00:00Z",
      "2026-11-21T24:00:00Z",
      "2026-11-21T00:60:00Z",
      "2026-11-21T00:00:61Z",
      "2026-11-21T00:00:00+25:00",
      "2026-11-21T00:00:00Zjunk",
      " 2026-11-21T00:00:00Z",
    ]
  ) assert.equal(parseRfc3339(text), undefined, text);
});

test("parseRfc3339() reads back what formatRfc3339() writes", () => {
  const dates = fc.date({
    min: new Date("0000-01-01"),
    max: new Date("9999-12-31"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(dates, (date) => {
    assert.equal(parseRfc3339(formatRfc3339(date.getTime())), date.getTime());
  }));
});
