import { formatFigure } from "./markdown_table.ts";
import { colorOf, line, place, text, writeSvg } from "./svg.ts";

export interface Curve {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 760;
const HEIGHT = 400;
const LABEL_HEIGHT = 18;
const FRAME = { left: 80, right: 150, top: 48, bottom: 56 };

/** Curves with both axes in logarithms: what grows linearly is a line that rises as one to one. */
export function drawLines({ title, x, y, curves }: LineChart): string {
  const points = curves.flatMap((curve) => curve.points).filter((point) =>
    point.x > 0 && point.y > 0
  );
  if (points.length === 0) throw new Error(`${title} has no points`);
  const [left, right] = [FRAME.left, WIDTH - FRAME.right];
  const [top, bottom] = [FRAME.top, HEIGHT - FRAME.bottom];
  const across = axisOf(points.map((point) => point.x), left, right);
  const up = axisOf(points.map((point) => point.y), bottom, top);
  const middle = (top + bottom) / 2;
  return writeSvg({ width: WIDTH, height: HEIGHT, title }, [
    text(16, 26, title, { kind: "title" }),
    ...across.marks.flatMap((mark) => [
      line(across.at(mark), top, across.at(mark), bottom),
      text(across.at(mark), bottom + 18, formatMark(mark), { anchor: "middle" }),
    ]),
    ...up.marks.flatMap((mark) => [
      line(left, up.at(mark), right, up.at(mark)),
      text(left - 8, up.at(mark) + 4, formatMark(mark), { anchor: "end" }),
    ]),
    line(left, bottom, right, bottom, "axis"),
    line(left, top, left, bottom, "axis"),
    text((left + right) / 2, HEIGHT - 14, x, { anchor: "middle", kind: "quiet" }),
    `<g transform="rotate(-90 20 ${place(middle)})">${
      text(20, middle, y, { anchor: "middle", kind: "quiet" })
    }</g>`,
    ...curves.flatMap((curve) => drawCurve(curve, across.at, up.at)),
    ...drawLabels(curves, right, up.at),
  ]);
}

function drawCurve(
  { label, points }: Curve,
  acrossAt: (value: number) => number,
  upAt: (value: number) => number,
): string[] {
  const color = colorOf(label);
  const shown = points.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => ({
    x: place(acrossAt(x)),
    y: place(upAt(y)),
  }));
  if (shown.length === 0) return [];
  const path = shown.map(({ x, y }) => `${x} ${y}`).join("L");
  return [
    `<path d="M${path}" stroke="${color}" stroke-width="2" fill="none"/>`,
    ...shown.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}"/>`),
  ];
}

/** Beside the frame, at the height of the last point, or as near to it as the others let it be. */
function drawLabels(
  curves: readonly Curve[],
  right: number,
  upAt: (value: number) => number,
): string[] {
  let free = 0;
  return curves.flatMap(({ label, points }) => {
    const last = points.filter(({ y }) => y > 0).at(-1);
    return last ? [{ label, value: last.y, y: upAt(last.y) }] : [];
  }).sort((a, b) => a.y - b.y).flatMap(({ label, value, y }) => {
    const at = Math.max(y, free);
    free = at + LABEL_HEIGHT;
    const mark = `<circle cx="${place(right + 16)}" cy="${place(at)}" r="4" fill="${
      colorOf(label)
    }"/>`;
    return [mark, text(right + 26, at + 4, `${label} ${formatFigure(value)}`)];
  });
}

interface Axis {
  readonly marks: readonly number[];
  at(value: number): number;
}

/** With a mark at each power of ten; at 2 and 5 too where there are few. */
function axisOf(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [low, high] = [stepBelow(least), stepAbove(most)];
  const steps = [1, 2, 5].flatMap((digit) =>
    Array.from({ length: 24 }, (_, power) => digit * 10 ** (power - 9))
  ).filter((step) => step >= low * 0.999 && step <= high * 1.001);
  const powers = steps.filter(isPower);
  const span = Math.log(high / low) || 1;
  return {
    marks: (powers.length >= 3 ? powers : steps).sort((a, b) => a - b),
    at: (value) => from + Math.log(value / low) / span * (to - from),
  };
}

function isPower(step: number): boolean {
  const power = Math.log10(step);
  return Math.abs(power - Math.round(power)) < 1e-9;
}

function stepBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [5, 2, 1].map((digit) => digit * power).find((step) => step <= value * 1.001) ?? power;
}

function stepAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= value * 0.999) ??
    power * 10;
}

function formatMark(value: number): string {
  return value >= 1000 ? value.toLocaleString("en") : Number(value.toPrecision(3)).toString();
}
