import { clean, formatRatio, formatSummary, writeTable } from "./markdown_table.ts";
import { type GrowthFinding, type Measure, sizedName } from "./measure.ts";
import { summarize } from "./report.ts";

export interface SizesShown {
  readonly parts: readonly string[];
  /** Measures that are in them and need no table of their own. */
  readonly shown: ReadonlySet<string>;
}

/** One table of how things grow, and one for each of them with all its sizes. */
export function writeGrowths(
  growths: readonly GrowthFinding[],
  measures: readonly Measure[],
): SizesShown {
  if (growths.length === 0) return { parts: [], shown: new Set() };
  const rows = growths.map(({ name, quantity, subject, slope, order }) => [
    ...[name, quantity, subject, slope === undefined ? "–" : slope.toFixed(2), order],
  ]);
  const kinds = [...new Set(growths.map(({ name }) => name))];
  const shown = growths.flatMap(({ name, points }) =>
    points.map(({ size }) => sizedName(name, size))
  );
  return {
    parts: [
      writeTable(["what", "figure", "subject", "slope", "growth"], rows),
      ...kinds.flatMap((name) =>
        writeSizes(name, growths.filter((one) => one.name === name), measures)
      ),
    ],
    shown: new Set(shown),
  };
}

function writeSizes(
  name: string,
  growths: readonly GrowthFinding[],
  measures: readonly Measure[],
): string[] {
  const sizes = [...new Set(growths.flatMap(({ points }) => points.map(({ size }) => size)))];
  const quantities = [...new Set(growths.map(({ quantity }) => quantity))];
  const subjects = [...new Set(growths.map(({ subject }) => subject))];
  const own = (size: number, quantity: string): ReturnType<typeof summarize> => {
    const found = measures.find((one) =>
      one.name === sizedName(name, size) && one.quantity === quantity
    );
    return found ? summarize(found) : [];
  };
  const head = quantities.flatMap((quantity) => {
    const { unit } = growths.find((one) => one.quantity === quantity) ?? {};
    return [...subjects.map((subject) => `${subject}, ${quantity}, ${unit}`), "÷ ref."];
  });
  const rows = sizes.sort((a, b) => a - b).map((size) => [
    size.toLocaleString("en"),
    ...quantities.flatMap((quantity) => {
      const summaries = own(size, quantity);
      const ratio = summaries.find(({ subject }) => subject === "executable")?.toReference;
      return [
        ...subjects.map((one) => formatSummary(summaries.find(({ subject }) => subject === one))),
        ratio === undefined ? "–" : formatRatio(ratio),
      ];
    }),
  ]);
  const problems = measures.filter((one) => one.name.startsWith(`${name}: `)).flatMap((one) =>
    one.series.flatMap(({ subject, problem }) =>
      problem === undefined ? [] : [`Not measured: ${subject}, ${one.name}: ${clean(problem)}`]
    )
  );
  const size = growths[0]?.size ?? "";
  return [`### ${name}`, writeTable([size, ...head], rows), ...new Set(problems)];
}
