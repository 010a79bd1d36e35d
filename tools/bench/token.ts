import type { Bench, Section } from "./bench.ts";
import { type FinishedRun, timeRun, weighRun } from "./finished_run.ts";
import type { Findings } from "./measure.ts";
import { type RemoteIssuer, startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";

const CASES = [
  { name: "token, valid", lifetimeS: 864_000 },
  { name: "token, to be renewed", lifetimeS: -10 },
];

/** The command for other programs. */
export const TOKEN: Section = { name: "token", title: "Token", run };

async function run(bench: Bench): Promise<Findings> {
  await using issuer = await startRemoteIssuer(bench.place.cwd);
  const subjects = bench.subjects.filter(({ kind }) => kind !== "reference");
  const jobs = CASES.flatMap(({ name, lifetimeS }) =>
    subjects.map((subject): Job => ({
      name,
      subject: subject.name,
      run: () => ask(bench, subject, issuer, lifetimeS),
    }))
  );
  return {
    measures: await runRounds(bench.runs, jobs, { wall: "ms", cpu: "ms", peak: "MB" }),
    notes: [
      "The reference has no such command.",
      "The issuer answers at once, over plain HTTP on loopback; to renew is one request to it.",
    ],
  };
}

async function ask(
  { place }: Bench,
  { kind, command }: Subject,
  issuer: RemoteIssuer,
  lifetimeS: number,
): Promise<Readings> {
  // A refresh token works once.
  const prepare = async (): Promise<FinishedRun> => ({
    command: kind === "floor" ? command : [...command, "token"],
    env: place.environment(place.home(await issuer.login(lifetimeS))),
    cwd: place.cwd,
    exitCode: 0,
  });
  return { ...timeRun(await prepare()), ...await weighRun(await prepare()) };
}
