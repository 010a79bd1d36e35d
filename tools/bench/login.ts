import { type Bench, programs, type Section } from "./bench.ts";
import type { Findings } from "./measure.ts";
import { LOGIN_PORT, waitForPort, waitUntilFree } from "./port.ts";
import { type Job, runRounds } from "./rounds.ts";
import { type Running, startRunning } from "./running.ts";
import type { Subject } from "./subject.ts";

/** Every program shows it on a line of its own. */
export const ADDRESS = /https?:\/\/\S+\/oauth\/authorize\?\S+(?=\r?\n)/;

/** The browser login, up to where a person has something to do. */
export const LOGIN: Section = { name: "login", title: "Login, to the waiting", run };

async function run(bench: Bench): Promise<Findings> {
  const jobs = programs(bench).flatMap((subject): Job[] => [
    { name: "login, to its port", subject: subject.name, run: () => timeToPort(bench, subject) },
    { name: "login, to its address", subject: subject.name, run: () => timeToLine(bench, subject) },
  ]);
  return {
    measures: await runRounds(bench.runs, jobs, { wall: "ms" }),
    notes: [
      `The port is ${LOGIN_PORT} for all, one login after another; it is tried every half millisecond from outside.`,
      "No browser is opened: by a flag with ours, by BROWSER=/bin/true with the reference, which has no flag.",
      "The address: ours on a free port (--port 0), the reference on its own.",
    ],
  };
}

async function timeToPort(bench: Bench, subject: Subject): Promise<{ wall: number }> {
  await waitUntilFree(LOGIN_PORT);
  await using running = startLogin(bench, subject);
  return { wall: await waitForPort(LOGIN_PORT, running.pid) - running.started };
}

async function timeToLine(bench: Bench, subject: Subject): Promise<{ wall: number }> {
  await waitUntilFree(LOGIN_PORT);
  await using running = startLogin(bench, subject, { port: 0 });
  await running.shows(ADDRESS);
  return { wall: performance.now() - running.started };
}

export interface LoginStart {
  /** Only ours can be told; the others take their own. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a browser login that opens nothing, in a new home. */
export function startLogin(
  { place }: Bench,
  { kind, command }: Subject,
  { port, env }: LoginStart = {},
): Running {
  const own = port === undefined ? [] : ["--port", String(port)];
  const words = kind === "ours" ? ["login", "--no-browser", ...own] : ["login"];
  return startRunning({
    command: [...command, ...words],
    env: place.environment(place.home(), env),
    cwd: place.cwd,
  });
}
