import type { Goal } from "./goals.ts";
import type { Machine } from "./machine.ts";
import type { Measure, SectionResult } from "./measure.ts";
import { pairedRatio, type Quartiles, quartilesOf, type Samples } from "./quartiles.ts";

/** Everything that one run of the measurements found. */
export interface Report {
  readonly machine: Machine;
  readonly runs: number;
  readonly goals: readonly Goal[];
  readonly sections: readonly SectionResult[];
}

/** One row of one quantity, in short. */
export interface Summary {
  readonly subject: string;
  readonly quartiles: Quartiles | undefined;
  /** Medians of the ratios of the same rounds. */
  readonly toReference: number | undefined;
  readonly toFloor: number | undefined;
  readonly problem?: string;
}

export function summarize({ series }: Measure): Summary[] {
  const base = (name: string): Samples =>
    series.find(({ subject }) => subject === name)?.samples ?? [];
  return series.map(({ subject, samples, problem }) => ({
    subject,
    quartiles: quartilesOf(samples),
    toReference: pairedRatio(samples, base("reference")),
    toFloor: pairedRatio(samples, base("floor")),
    ...(problem === undefined ? {} : { problem }),
  }));
}

/** For programs: the same, with every single figure. */
export function writeJson({ machine, runs, goals, sections }: Report): string {
  const document = {
    schema: 1,
    machine,
    runs,
    goals,
    sections: sections.map((section) => ({
      ...section,
      measures: section.measures.map((measure) => ({
        ...measure,
        series: summarize(measure).map((summary, i) => ({
          ...summary,
          samples: measure.series[i]?.samples ?? [],
        })),
      })),
    })),
  };
  const round = (_name: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(document, round, 1)}\n`;
}
