import { formatFigure } from "./markdown_table.ts";
import { colorOf, line, place, text, writeSvg } from "./svg.ts";

export interface Bar {
  readonly label: string;
  readonly median: number;
  /** Quartiles. */
  readonly from: number;
  readonly to: number;
}

export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 150;
const BAR = 15;
const GAP = 4;
const GROUP_HEAD = 30;
const TOP = 44;

/** Bars that lie, in groups, each with its median and a whisker from quartile to quartile. */
export function drawBars(title: string, unit: string, groups: readonly BarGroup[]): string {
  const most = Math.max(
    ...groups.flatMap(({ bars }) => bars.map(({ to, median }) => Math.max(to, median))),
    0,
  );
  const scale = (value: number): number => most === 0 ? 0 : value / most * (WIDTH - LEFT - RIGHT);
  const content = [text(16, 26, title, { kind: "title" })];
  let y = TOP;
  for (const { name, bars } of groups) {
    content.push(text(16, y + 18, name, { kind: "quiet" }));
    y += GROUP_HEAD;
    content.push(line(LEFT, y - GAP, LEFT, y + bars.length * (BAR + GAP), "axis"));
    for (const bar of bars) {
      content.push(...drawBar(bar, y, unit, scale));
      y += BAR + GAP;
    }
  }
  const height = y + 28;
  content.push(
    text(16, y + 18, `Medians, ${unit}; the thin lines go from the first quartile to the third.`, {
      kind: "quiet",
    }),
  );
  return writeSvg({ width: WIDTH, height, title }, content);
}

function drawBar(
  { label, median, from, to }: Bar,
  y: number,
  unit: string,
  scale: (value: number) => number,
): string[] {
  const middle = y + BAR / 2;
  const end = LEFT + Math.max(scale(median), scale(to));
  return [
    text(LEFT - 8, middle + 4, label, { anchor: "end" }),
    `<rect x="${LEFT}" y="${place(y)}" width="${place(scale(median))}" height="${BAR}" fill="${
      colorOf(label)
    }"/>`,
    line(LEFT + scale(from), middle, LEFT + scale(to), middle, "axis"),
    text(end + 8, middle + 4, `${formatFigure(median)} ${unit}`),
  ];
}
