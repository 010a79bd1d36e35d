import assert from "node:assert/strict";
import { test } from "node:test";
import { writeMarkdown } from "../../tools/bench/markdown.ts";
import { formatFigure, formatRatio, writeTable } from "../../tools/bench/markdown_table.ts";
import { type Report, writeJson } from "../../tools/bench/report.ts";

const REPORT: Report = {
  machine: {
    ...{ processor: "Analytical Engine", cores: 2, memoryGB: 1, kernel: "linux" },
    ...{ versions: { deno: "2", bun: "1", node: "20", reference: "0.169.0" } },
    ...{ commit: "abc", isChanged: true, date: "2026-01-01T00:00:00Z" },
  },
  runs: 3,
  goals: [
    { what: "time", bound: "≤ 2 × floor", figure: 1.5, isMet: true },
    { what: "size", bound: "≤ 1 × floor", figure: 1.5, isMet: false },
    { what: "peace", bound: "= 1", figure: undefined, isMet: undefined },
  ],
  sections: [{
    ...{ name: "start", title: "Start", notes: ["Read with care."] },
    measures: [{
      ...{ name: "--version", quantity: "wall", unit: "ms" },
      series: [
        { subject: "executable", samples: [10, 20, 30] },
        { subject: "reference", samples: [5, 10, 15] },
        { subject: "floor", samples: [null, null, null], problem: "it | broke" },
      ],
    }],
  }, { name: "login", title: "Login", problem: "no port", measures: [] }],
};

test("the report for people has medians, quartiles and ratios", () => {
  const text = writeMarkdown(REPORT, [{ section: "start", file: "start.svg", title: "Start" }]);
  assert.match(text, /^\| executable \| 20 \(15–25\) \| 2\.00 \|/m);
  assert.match(text, /^\| time \| ≤ 2 × floor \| 1\.50 \| met \|$/m);
  assert.match(text, /^\| size .* \*\*missed\*\* \|$/m);
  assert.match(text, /^\| peace .* \| – \| not measured \|$/m);
  assert.match(text, /Not measured: floor: it \\\| broke/);
  assert.match(text, /## Login\n\nNot measured: no port/);
  assert.match(text, /Commit abc, changed since/);
  assert.match(text, /!\[Start\]\(start\.svg\)/);
});

test("the report for programs has every figure", () => {
  const { sections, machine } = JSON.parse(writeJson(REPORT));
  const [own] = sections[0].measures[0].series;
  assert.deepEqual(own.samples, [10, 20, 30]);
  assert.equal(own.quartiles.first, 15);
  assert.equal(own.toReference, 2);
  assert.equal(machine.processor, "Analytical Engine");
});

test("figures have three digits, and ratios two places", () => {
  assert.deepEqual([0, 1.2345, 12.345, 123.45, 12_345.6].map(formatFigure), [
    ...["0", "1.23", "12.3", "123", "12,346"],
  ]);
  assert.deepEqual([0.0123, 0.5, 12.345, 1234.5].map(formatRatio), [
    ...["0.012", "0.50", "12.35", "1,235"],
  ]);
});

test("a bar in a cell does not end it", () => {
  assert.equal(writeTable(["a", "b"], [["x|y", "1"]]), "| a | b |\n| --- | ---: |\n| x\\|y | 1 |");
});

test("what grows is one table of all, and one of its sizes", () => {
  const growth = { name: "status by bytes", size: "bytes", quantity: "wall", unit: "ms" };
  const points = [{ size: 1_000, median: 2 }, { size: 2_000, median: 4 }];
  const measures = points.map(({ size, median }) => ({
    ...{ name: `status by bytes: ${size.toLocaleString("en")}`, quantity: "wall", unit: "ms" },
    series: [
      { subject: "executable", samples: [median, median] },
      { subject: "reference", samples: [], problem: "too many" },
    ],
  }));
  const growths = [{ ...growth, subject: "executable", points, slope: 1.02, order: "linear" }];
  const scale = { name: "scale", title: "Scale", measures, growths };
  const text = writeMarkdown({ ...REPORT, sections: [scale] });
  assert.match(text, /^\| status by bytes \| wall \| executable \| 1\.02 \| linear \|$/m);
  assert.match(text, /^\| 2,000 \| 4 \(4–4\) \| – \|$/m);
  assert.match(text, /Not measured: reference, status by bytes: 1,000: too many/);
  assert.doesNotMatch(text, /### status by bytes: 1,000/);
});
