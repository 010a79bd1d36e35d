import { type BarGroup, drawBars } from "./bar_chart.ts";
import { drawLines } from "./line_chart.ts";
import type { GrowthFinding, SectionResult } from "./measure.ts";
import { summarize } from "./report.ts";

export interface Chart {
  readonly section: string;
  /** Its file, without a folder. */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** What is seen better than read: how the starts compare, and how things grow. */
export function drawCharts(sections: readonly SectionResult[]): Chart[] {
  return sections.flatMap((section) => {
    switch (section.name) {
      case "start":
        return [
          ...drawStart(section, "wall", "Start: wall time", "start_time.svg"),
          ...drawStart(section, "peak", "Start: peak memory", "start_memory.svg"),
        ];
      case "scale":
        return drawGrowths(section.growths ?? []);
      default:
        return [];
    }
  });
}

function drawStart(
  { name, measures }: SectionResult,
  quantity: string,
  title: string,
  file: string,
): Chart[] {
  const own = measures.filter((measure) => measure.quantity === quantity);
  const groups = own.map((measure): BarGroup => ({
    name: measure.name,
    bars: summarize(measure).flatMap(({ subject, quartiles }) =>
      quartiles
        ? [{
          label: subject,
          median: quartiles.median,
          from: quartiles.first,
          to: quartiles.third,
        }]
        : []
    ),
  }));
  const [first] = own;
  return first ? [{ section: name, file, title, svg: drawBars(title, first.unit, groups) }] : [];
}

const WORDS: Readonly<Record<string, string>> = {
  wall: "time",
  resident: "resident memory",
  "right callback": "right callback to redirect",
};

function drawGrowths(growths: readonly GrowthFinding[]): Chart[] {
  const kinds = new Set(growths.map(({ name, quantity }) => `${name}\n${quantity}`));
  return [...kinds].map((kind) => {
    const own = growths.filter(({ name, quantity }) => `${name}\n${quantity}` === kind);
    const { name = "", quantity = "", unit = "", size = "" } = own[0] ?? {};
    const title = `${name}: ${WORDS[quantity] ?? quantity}`;
    const curves = own.map(({ subject, points }) => ({
      label: subject,
      points: points.map((point) => ({ x: point.size, y: point.median })),
    }));
    const file = `${title.toLowerCase().replace(/[^a-z]+/g, "_")}.svg`;
    return { section: "scale", file, title, svg: drawLines({ title, x: size, y: unit, curves }) };
  });
}
