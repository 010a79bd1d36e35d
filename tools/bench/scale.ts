import { type Bench, findSubject, type Section } from "./bench.ts";
import { growthOf } from "./growth.ts";
import { idleConnections } from "./idle_connections.ts";
import { makeCertificate } from "./certificate.ts";
import { type Findings, type GrowthFinding, type Measure, sizedName } from "./measure.ts";
import { medianOf } from "./quartiles.ts";
import { startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds, type Units } from "./rounds.ts";
import { messages, processes, storedBytes } from "./sized_runs.ts";
import type { Subject } from "./subject.ts";

/** One thing that is done in several sizes. */
interface Scale {
  readonly name: string;
  /** What is counted. */
  readonly of: string;
  readonly sizes: readonly number[];
  /** Where the reference takes too long for the larger ones. */
  readonly mostForReference?: number;
  readonly units: Units;
  readonly run: (subject: Subject, size: number) => Promise<Readings>;
}

const SUBJECTS = ["executable", "reference"];
const LIFETIME_S = 864_000;
/** How something grows shows in so few, and two hundred processes at a time take long. */
const MOST_RUNS = 5;

/** How figures grow with what there is to do. */
export const SCALE: Section = { name: "scale", title: "Scale", run };

async function run(bench: Bench): Promise<Findings> {
  const certificate = makeCertificate(bench.place.folder);
  await using issuer = await startRemoteIssuer(bench.place.cwd, certificate);
  const login = await issuer.login(LIFETIME_S);
  const scales: Scale[] = [
    {
      ...{ name: "status by the size of auth.json", of: "bytes", units: { wall: "ms" } },
      sizes: [4_000, 16_000, 64_000, 256_000, 1_000_000],
      run: (subject, size) => storedBytes(bench, subject, login, size),
    },
    {
      ...{ name: "status by processes at once", of: "processes", units: { wall: "ms" } },
      sizes: [1, 2, 5, 10, 20, 50, 100, 200],
      mostForReference: 100,
      run: (subject, size) => processes(bench, subject, login, size),
    },
    {
      ...{ name: "waiting login by idle connections", of: "connections" },
      sizes: [1, 10, 100, 500, 2_000],
      units: { resident: "MB", "right callback": "ms" },
      run: (subject, size) => idleConnections(bench, subject, issuer, size),
    },
    {
      ...{ name: "account/read by messages", of: "messages", units: { wall: "ms" } },
      sizes: [10, 100, 1_000, 10_000],
      mostForReference: 1_000,
      run: (subject, size) => messages(bench, subject, login, issuer.environment, size),
    },
  ];
  const growths: GrowthFinding[] = [];
  const measures: Measure[] = [];
  for (const scale of scales) {
    const found = await runRounds(
      Math.min(bench.runs, MOST_RUNS),
      jobsOf(bench, scale),
      scale.units,
    );
    measures.push(...found);
    growths.push(...SUBJECTS.flatMap((subject) => growthsOf(scale, subject, found)));
    bench.say(`  ${scale.name}`);
  }
  return {
    measures,
    growths,
    notes: [
      `At most ${MOST_RUNS} counted runs of each size.`,
      "The least that any size takes is taken away as the cost of starting at all; the slope is that of the logarithms over the upper half of the sizes: 1 is linear.",
      "Idle connections are opened to a waiting login and send nothing; then the right callback is sent over one more.",
    ],
  };
}

function jobsOf(bench: Bench, { name, sizes, mostForReference, run }: Scale): Job[] {
  return sizes.flatMap((size) =>
    SUBJECTS.flatMap((one): Job[] => {
      const subject = findSubject(bench, one);
      const isTooMuch = one === "reference" && size > (mostForReference ?? size);
      if (!subject || isTooMuch) return [];
      return [{ name: sizedName(name, size), subject: one, run: () => run(subject, size) }];
    })
  );
}

function growthsOf(
  { name, of, sizes, units }: Scale,
  subject: string,
  measures: readonly Measure[],
): GrowthFinding[] {
  return Object.entries(units).flatMap(([quantity, unit]) => {
    const points = sizes.flatMap((size) => {
      const found = measures.find((one) =>
        one.name === sizedName(name, size) && one.quantity === quantity
      );
      const median = medianOf(found?.series.find((one) => one.subject === subject)?.samples ?? []);
      return median === undefined ? [] : [{ size, median }];
    });
    if (points.length === 0) return [];
    return [{ name, subject, size: of, quantity, unit, points, ...growthOf(points) }];
  });
}
