/** One size, and what it took. */
export interface Point {
  readonly size: number;
  readonly median: number;
}

export interface Growth {
  /** Of the logarithms, over the upper half of the sizes; undefined where nothing grows. */
  readonly slope: number | undefined;
  /** In words. */
  readonly order: string;
}

/** As long as the largest is so near to the smallest, nothing has grown that is worth a name. */
const CONSTANT = 1.15;
const LINEAR = { from: 0.85, to: 1.15 };
/** A slope below this is mostly that of the noise. */
const HARDLY = 0.25;
const FEWEST_POINTS = 3;

/**
 * How something grows: the least that it costs at any size is taken away, as the cost of starting at all, and the rest is laid
 * over what the size is more than the smallest.
 */
export function growthOf(points: readonly Point[]): Growth {
  const sorted = [...points].sort((a, b) => a.size - b.size);
  const [first] = sorted;
  const last = sorted.at(-1);
  const base = Math.min(...sorted.map(({ median }) => median));
  if (!first || !last || sorted.length < FEWEST_POINTS) {
    return { slope: undefined, order: "too few points" };
  }
  if (last.median <= first.median * CONSTANT) return { slope: undefined, order: "constant" };
  const upper = sorted.slice(1).slice(-Math.ceil(sorted.length / 2))
    .filter(({ median }) => median > base)
    .map(({ size, median }) => ({
      x: Math.log(size - first.size),
      y: Math.log(median - base),
    }));
  if (upper.length < 2) return { slope: undefined, order: "constant up to the last" };
  const slope = slopeOf(upper);
  return { slope, order: describe(slope) };
}

function describe(slope: number): string {
  if (slope > LINEAR.to) return "worse than linear";
  if (slope >= LINEAR.from) return "linear";
  return slope >= HARDLY ? "less than linear" : "next to constant";
}

/** Of the line that has the least squares. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: "x" | "y"): number =>
    points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [meanX, meanY] = [mean("x"), mean("y")];
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}
