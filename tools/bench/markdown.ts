import type { Goal } from "./goals.ts";
import type { GrowthFinding, Measure, SectionResult } from "./measure.ts";
import { type Report, summarize, type Summary } from "./report.ts";

/** Pictures by section. */
export type Pictures = Readonly<Record<string, readonly { file: string; title: string }[]>>;

const LABELS: Readonly<Record<string, string>> = {
  wall: "wall time",
  cpu: "CPU time",
  peak: "peak memory",
  resident: "memory, resident",
  anonymous: "memory, its own",
};

/** For people. */
export function writeMarkdown(report: Report, pictures: Pictures = {}): string {
  const { machine, runs, goals, sections } = report;
  const { versions } = machine;
  return `${
    [
      "# Measurements",
      `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.kernel}. ` +
      `Deno ${versions["deno"]}, Bun ${versions["bun"]}, Node ${
        versions["node"]
      }; the reference is ` +
      `Codex CLI ${versions["reference"]}.`,
      `Commit ${machine.commit}${machine.isChanged ? ", changed since" : ""}; ${machine.date}. ` +
      `${runs} counted runs of each after one that warms up, interleaved; medians, with the quartiles ` +
      "in brackets. A ratio is the median of the ratios of the same rounds.",
      "## Goals",
      "Of the executable: ratios of medians.",
      writeGoals(goals),
      ...sections.flatMap((section) => writeSection(section, pictures[section.name] ?? [])),
    ].join("\n\n")
  }\n`;
}

function writeGoals(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, bound, figure, isMet }) => [
    what,
    bound,
    figure === undefined ? "–" : formatRatio(figure),
    isMet === undefined ? "not measured" : isMet ? "met" : "**missed**",
  ]);
  return writeTable(["goal", "bound", "figure", ""], rows);
}

function writeSection(
  { name, title, problem, notes, measures, growths }: SectionResult,
  pictures: readonly { file: string; title: string }[],
): string[] {
  const names = [...new Set(measures.map((one) => one.name))];
  return [
    `## ${title}`,
    ...(problem === undefined ? [] : [`Not measured: ${problem}`]),
    ...(notes && notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    ...pictures.map((picture) => `![${picture.title}](${picture.file})`),
    ...(growths && growths.length > 0 ? [writeGrowths(growths)] : []),
    ...names.flatMap((one) => writeMeasures(one, measures.filter((each) => each.name === one))),
  ].filter((part) => part !== "" && part !== name);
}

/** All quantities of one thing in one table. */
function writeMeasures(name: string, measures: readonly Measure[]): string[] {
  const subjects = [...new Set(measures.flatMap(({ series }) => series.map((one) => one.subject)))];
  const columns = measures.map((measure) => ({ measure, summaries: summarize(measure) }));
  const has = (key: "toReference" | "toFloor"): boolean =>
    columns.some(({ summaries }) => summaries.some((one) => one[key] !== undefined));
  const ratios = [
    ...(has("toReference") ? [{ key: "toReference" as const, label: "÷ ref." }] : []),
    ...(has("toFloor") ? [{ key: "toFloor" as const, label: "÷ floor" }] : []),
  ];
  const head = columns.flatMap(({ measure: { quantity, unit } }) => [
    `${LABELS[quantity] ?? quantity}${unit === "" ? "" : `, ${unit}`}`,
    ...ratios.map(({ label }) => label),
  ]);
  const rows = subjects.map((subject) => [
    subject,
    ...columns.flatMap(({ summaries }) => {
      const found = summaries.find((one) => one.subject === subject);
      return [
        formatSummary(found),
        ...ratios.map(({ key }) => found?.[key] === undefined ? "–" : formatRatio(found[key] ?? 0)),
      ];
    }),
  ]);
  const problems = new Map(
    columns.flatMap(({ summaries }) =>
      summaries.flatMap(({ subject, problem, quartiles }) =>
        problem === undefined
          ? []
          : [[`${subject}${quartiles ? ", some runs" : ""}`, problem] as const]
      )
    ),
  );
  return [
    `### ${name}`,
    writeTable([measures.length > 0 ? "subject" : "", ...head], rows),
    ...[...problems].map(([subject, problem]) => `Not measured: ${subject}: ${clean(problem)}`),
  ];
}

function writeGrowths(growths: readonly GrowthFinding[]): string {
  const rows = growths.map((one) => [
    one.name,
    one.subject,
    one.points.map(({ size, median }) => `${size.toLocaleString("en")}: ${formatFigure(median)}`)
      .join(", "),
    one.unit,
    one.slope === undefined ? "–" : one.slope.toFixed(2),
    one.order,
  ]);
  return writeTable(["what", "subject", "medians", "unit", "slope", "growth"], rows);
}

/** Three digits are more than the figures are good for. */
export function formatFigure(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

export function formatRatio(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 0.1 ? 3 : 2);
}

function formatSummary(summary: Summary | undefined): string {
  const found = summary?.quartiles;
  if (!found) return "–";
  const median = formatFigure(found.median);
  if (found.count === 1) return median;
  return `${median} (${formatFigure(found.first)}–${formatFigure(found.third)})`;
}

export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(clean).join(" | ")} |`;
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function clean(cell: string): string {
  return cell.replace(/\s+/g, " ").replaceAll("|", "\\|");
}
