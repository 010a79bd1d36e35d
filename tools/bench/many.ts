import { type Bench, findSubject, type Section } from "./bench.ts";
import { BUN } from "./bun.ts";
import type { Findings } from "./measure.ts";
import { type RemoteIssuer, startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";

const COUNTS = [1, 20, 100];
const LIMIT_MS = 60_000;
/** Expired. */
const LIFETIME_S = -10;

/** Many processes that share one login, which all of them find expired. */
export const MANY: Section = { name: "many", title: "Many processes, one login", run };

async function run(bench: Bench): Promise<Findings> {
  await using issuer = await startRemoteIssuer(bench.place.cwd);
  const subject = findSubject(bench, "executable");
  if (!subject) throw new Error("there is no executable");
  const jobs = COUNTS.map((count): Job => ({
    name: `token, ${count} ${count === 1 ? "process" : "processes"}`,
    subject: subject.name,
    run: () => askAtOnce(bench, subject, issuer, count),
  }));
  const measures = await runRounds(bench.runs, jobs, { wall: "ms", cpu: "ms", refreshes: "" });
  return {
    measures,
    notes: [
      "All are started at once and ask for the token of one home, which has expired; wall time is until the last has it.",
      "CPU time is that of all of them together; `refreshes` are the requests that the issuer saw.",
      "The reference has no such command.",
    ],
  };
}

async function askAtOnce(
  { place }: Bench,
  { command }: Subject,
  issuer: RemoteIssuer,
  count: number,
): Promise<Readings> {
  const home = place.home(await issuer.login(LIFETIME_S));
  const env = place.environment(home);
  const before = await issuer.count("refresh");
  const started = performance.now();
  const children = Array.from({ length: count }, () =>
    BUN.spawn([...command, "token"], {
      ...{ env, cwd: place.cwd, timeout: LIMIT_MS },
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    }));
  const codes = await Promise.all(children.map((child) => child.exited));
  const wall = performance.now() - started;
  const failed = codes.findIndex((code) => code !== 0);
  const broken = children[failed];
  if (broken) throw new Error(`ended with ${codes[failed]}: ${await textOf(broken.stderr)}`);
  const tokens = new Set(await Promise.all(children.map((child) => textOf(child.stdout))));
  if (tokens.size !== 1) throw new Error(`${tokens.size} different tokens were given`);
  const cpu = children.reduce(
    (sum, child) => sum + Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000,
    0,
  );
  return { wall, cpu, refreshes: await issuer.count("refresh") - before };
}

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}
