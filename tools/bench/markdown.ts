import type { Goal } from "./goals.ts";
import { writeGrowths } from "./markdown_growths.ts";
import { clean, formatRatio, formatSummary, writeTable } from "./markdown_table.ts";
import type { Measure, SectionResult } from "./measure.ts";
import { type Report, summarize } from "./report.ts";

/** A picture beside the report. */
export interface Picture {
  readonly section: string;
  readonly file: string;
  readonly title: string;
}

const LABELS: Readonly<Record<string, string>> = {
  wall: "wall time",
  cpu: "CPU time",
  peak: "peak memory",
  resident: "memory, resident",
  anonymous: "memory, its own",
};

/** For people. */
export function writeMarkdown(report: Report, pictures: readonly Picture[] = []): string {
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
      ...sections.flatMap((section) =>
        writeSection(section, pictures.filter((one) => one.section === section.name))
      ),
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
  { title, problem, notes, measures, growths }: SectionResult,
  pictures: readonly Picture[],
): string[] {
  const sizes = writeGrowths(growths ?? [], measures);
  const names = [...new Set(measures.map((one) => one.name))].filter((one) =>
    !sizes.shown.has(one)
  );
  return [
    `## ${title}`,
    ...(problem === undefined ? [] : [`Not measured: ${problem}`]),
    ...(notes && notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    ...pictures.map((picture) => `![${picture.title}](${picture.file})`),
    ...sizes.parts,
    ...names.flatMap((one) => writeMeasures(one, measures.filter((each) => each.name === one))),
  ];
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
