import type { Measure, Series } from "./measure.ts";

/** What one run gave, by quantity. */
export type Readings = Readonly<Record<string, number>>;

/** One thing that one subject does, once per round. */
export interface Job {
  readonly name: string;
  readonly subject: string;
  readonly run: () => Readings | Promise<Readings>;
}

/** Which unit a quantity has. */
export type Units = Readonly<Record<string, string>>;

/** As often as this a run may fail before its subject is left out of the rest. */
const PATIENCE = 3;

/**
 * All jobs once, and again, and again: what disturbs the machine for a while disturbs all of them. The first round warms the
 * caches and is not counted. Whatever fails leaves a hole and a reason, and the rest goes on.
 */
export async function runRounds(
  count: number,
  jobs: readonly Job[],
  units: Units,
): Promise<Measure[]> {
  const rows = jobs.map((job) => ({
    job,
    readings: [] as (Readings | undefined)[],
    failures: [] as string[],
  }));
  for (let round = 0; round <= count; round++) {
    for (const row of rows) {
      if (row.failures.length >= PATIENCE) continue;
      let readings: Readings | undefined;
      try {
        readings = await row.job.run();
      } catch (thrown) {
        row.failures.push(thrown instanceof Error ? thrown.message : String(thrown));
      }
      if (round > 0) row.readings[round - 1] = readings;
    }
  }
  const names = [...new Set(jobs.map(({ name }) => name))];
  return names.flatMap((name) => {
    const own = rows.filter((row) => row.job.name === name);
    const all = Object.entries(units).map(([quantity, unit]) => ({
      ...{ name, quantity, unit },
      series: own.map(({ job, failures, readings }) =>
        toSeries(job.subject, failures, fill(readings, count), quantity)
      ),
    }));
    const there = all.filter(hasFigures);
    // Where all failed the reasons are still told.
    return there.length > 0 ? there : all.slice(0, 1);
  });
}

/** Some quantities belong to some jobs only. */
function hasFigures({ series }: Measure): boolean {
  return series.some((one) => one.samples.some((sample) => sample !== null));
}

function fill(
  readings: readonly (Readings | undefined)[],
  count: number,
): (Readings | undefined)[] {
  return Array.from({ length: count }, (_, round) => readings[round]);
}

function toSeries(
  subject: string,
  failures: readonly string[],
  readings: readonly (Readings | undefined)[],
  quantity: string,
): Series {
  const samples = readings.map((one) => one?.[quantity] ?? null);
  const [first] = failures;
  if (first === undefined) return { subject, samples };
  return {
    subject,
    samples,
    problem: first.trim().split("\n").slice(0, 3).join(" ").slice(0, 300),
  };
}
