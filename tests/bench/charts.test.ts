import assert from "node:assert/strict";
import { test } from "node:test";
import { drawBars } from "../../tools/bench/bar_chart.ts";
import { drawCharts } from "../../tools/bench/charts.ts";
import { drawLines } from "../../tools/bench/line_chart.ts";
import type { SectionResult } from "../../tools/bench/measure.ts";

/** Every tag is closed in its turn, and nothing stands open at the end. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, , isAlone] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[^<>]*?)?)(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!isAlone) open.push(name ?? "");
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
}

function places(svg: string, pattern: RegExp): number[] {
  return [...svg.matchAll(pattern)].map(([, value]) => Number(value));
}

test("bars are as long as their medians, and have their figures beside them", () => {
  const svg = drawBars("Start <&> more", "ms", [{
    name: "--version",
    bars: [
      { label: "executable", median: 10, from: 9, to: 12 },
      { label: "reference", median: 20, from: 19, to: 20 },
    ],
  }]);
  assertWellFormed(svg);
  const [own = 0, theirs = 0] = places(svg, /<rect x="130"[^>]* width="([\d.]+)"/g);
  assert.ok(Math.abs(theirs / own - 2) < 0.01);
  assert.match(svg, /<title>Start &lt;&amp;&gt; more<\/title>/);
  assert.match(svg, />10 ms</);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test("bars without anything to show are a picture all the same", () => {
  assertWellFormed(drawBars("Nothing", "ms", []));
});

test("a linear growth is a straight line", () => {
  const curve = { label: "executable", points: [1, 10, 100].map((x) => ({ x, y: 3 * x })) };
  const svg = drawLines({ title: "Growth", x: "messages", y: "ms", curves: [curve] });
  assertWellFormed(svg);
  const [x0 = 0, x1 = 0, x2 = 0] = places(svg, /<circle cx="([\d.]+)"[^>]* r="3.5"/g);
  const [y0 = 0, y1 = 0, y2 = 0] = places(svg, /<circle[^>]* cy="([\d.]+)" r="3.5"/g);
  assert.ok(x0 < x1 && x1 < x2 && y0 > y1 && y1 > y2);
  assert.ok(Math.abs((y0 - y1) / (x1 - x0) - (y1 - y2) / (x2 - x1)) < 0.01);
});

test("labels of curves that end together do not lie on each other", () => {
  const points = [{ x: 1, y: 50 }, { x: 10, y: 60 }];
  const curves = ["executable", "reference"].map((label) => ({ label, points }));
  const svg = drawLines({ title: "Memory", x: "connections", y: "MB", curves });
  assertWellFormed(svg);
  const [a = 0, b = 0] = places(svg, /<text x="636" y="([\d.]+)"/g);
  assert.ok(b - a >= 12, `${a} and ${b}`);
});

test("one point, and a figure that stays the same, can be drawn", () => {
  const points = [{ x: 5, y: 5 }];
  const curves = [{ label: "executable", points }];
  assertWellFormed(drawLines({ title: "One", x: "x", y: "y", curves }));
});

test("the starts and the growths are drawn, each in a file of its own", () => {
  const sections: SectionResult[] = [{
    ...{ name: "start", title: "Start" },
    measures: ["wall", "peak"].map((quantity) => ({
      ...{ name: "--version", quantity, unit: "ms" },
      series: [{ subject: "executable", samples: [1, 2, 3] }],
    })),
  }, {
    ...{ name: "scale", title: "Scale", measures: [] },
    growths: [{
      ...{ name: "status by bytes", subject: "executable", size: "bytes", quantity: "wall" },
      ...{ unit: "ms", points: [{ size: 1, median: 1 }], slope: undefined, order: "constant" },
    }],
  }];
  const charts = drawCharts(sections);
  assert.deepEqual(charts.map(({ file }) => file), [
    ...["start_time.svg", "start_memory.svg", "status_by_bytes_time.svg"],
  ]);
  for (const { svg } of charts) assertWellFormed(svg);
});
