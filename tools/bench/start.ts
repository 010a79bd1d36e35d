import type { Bench, Section } from "./bench.ts";
import { type FinishedRun, timeRun, weighRun } from "./finished_run.ts";
import type { Findings } from "./measure.ts";
import { startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, runRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";
/** Of a login that is far from due for renewal. */
const LIFETIME_S = 864_000;

interface Case {
  readonly name: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly exitCode: number;
  readonly auth?: unknown;
  readonly input?: string;
}

/** Commands that run to their end. */
export const START: Section = { name: "start", title: "Start", run };

async function run(bench: Bench): Promise<Findings> {
  await using issuer = await startRemoteIssuer(bench.place.cwd);
  const key = bench.place.file("key", `${KEY}\n`);
  const status = { ours: ["status"], theirs: ["login", "status"] };
  const cases: Case[] = [
    { name: "--version", ours: ["--version"], theirs: ["--version"], exitCode: 0 },
    { name: "status, nothing stored", ...status, exitCode: 1 },
    {
      name: "status, API key",
      ...status,
      exitCode: 0,
      auth: { auth_mode: "apikey", OPENAI_API_KEY: KEY },
    },
    { name: "status, ChatGPT", ...status, exitCode: 0, auth: await issuer.login(LIFETIME_S) },
    {
      name: "login --with-api-key",
      ours: ["login", "--with-api-key"],
      theirs: ["login", "--with-api-key"],
      exitCode: 0,
      input: key,
    },
  ];
  const jobs = cases.flatMap((one) =>
    bench.subjects.map((subject): Job => ({
      name: one.name,
      subject: subject.name,
      run: () => readRun(bench, one, subject),
    }))
  );
  const measures = await runRounds(bench.runs, jobs, { wall: "ms", cpu: "ms", peak: "MB" });
  const least = await weighRun({
    command: ["/bin/true"],
    env: bench.place.environment(bench.place.home()),
    cwd: bench.place.cwd,
    exitCode: 0,
  });
  return {
    measures,
    notes: [
      "Wall and CPU time are of one run, peak memory is of another, so that measuring it costs no time.",
      `Peak memory is the kernel's figure of the process itself; of /bin/true it is ${
        (least["peak"] ?? 0).toFixed(1)
      } MB.`,
      "Each run has a new home.",
    ],
  };
}

async function readRun(
  { place }: Bench,
  { ours, theirs, exitCode, auth, input }: Case,
  { kind, command }: Subject,
): Promise<Record<string, number>> {
  const words = kind === "floor" ? [] : kind === "ours" ? ours : theirs;
  const prepare = (): FinishedRun => ({
    command: [...command, ...words],
    env: place.environment(place.home(auth)),
    cwd: place.cwd,
    exitCode: kind === "floor" ? 0 : exitCode,
    ...(input === undefined ? {} : { input }),
  });
  return { ...timeRun(prepare()), ...await weighRun(prepare()) };
}
