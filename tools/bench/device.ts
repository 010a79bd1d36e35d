import { type Bench, programs, type Section } from "./bench.ts";
import type { Findings } from "./measure.ts";
import { cpuOf, memoryOf } from "./process_figures.ts";
import { type RemoteIssuer, startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import { startRunning } from "./running.ts";
import type { Subject } from "./subject.ts";

const INTERVAL_S = 1;
const POLLS = 5;
/** What start-up left to be done is done by then, in ms; and it is between two polls. */
const SETTLED_MS = 1_500;
const USER_CODE = /[0-9A-F]{4}-[0-9A-F]{6}/;

/** A login on another device, while nobody has entered the code. */
export const DEVICE: Section = { name: "device", title: "Device code, while it waits", run };

async function run(bench: Bench): Promise<Findings> {
  await using issuer = await startRemoteIssuer(bench.place.cwd);
  await issuer.setInterval(INTERVAL_S);
  const subjects = programs(bench);
  let round = new Map<string, Promise<Readings>>();
  /** All at once: each of them waits nearly all of the time. */
  function take(subject: Subject): Promise<Readings> {
    if (!round.has(subject.name)) {
      round = new Map(subjects.map((one) => [one.name, poll(bench, one, issuer)]));
      // Each is awaited in its turn, and may have failed before.
      for (const one of round.values()) one.catch(() => {});
    }
    const readings = round.get(subject.name) ?? Promise.reject(new Error("it was not started"));
    round.delete(subject.name);
    return readings;
  }
  const jobs = subjects.map((subject): Job => ({
    name: "device code, each poll",
    subject: subject.name,
    run: () => take(subject),
  }));
  const units = { "CPU per poll": "ms", "polls": "/s", "resident": "MB" };
  return {
    measures: await runRounds(bench.runs, jobs, units),
    notes: [
      `The issuer says at once that the code was not entered yet, and asks for ${INTERVAL_S} s between questions; ` +
      `CPU time of the process over ${POLLS} s, by poll that the issuer saw. All programs wait at the same time.`,
    ],
  };
}

async function poll(
  { place }: Bench,
  { kind, command }: Subject,
  issuer: RemoteIssuer,
): Promise<Readings> {
  const where = kind === "ours" ? ["--issuer", issuer.url] : ["--experimental_issuer", issuer.url];
  await using running = startRunning({
    command: [...command, "login", "--device-auth", ...where],
    env: place.environment(place.home()),
    cwd: place.cwd,
  });
  const [userCode] = await running.shows(USER_CODE);
  await pause(SETTLED_MS);
  const before = { polls: await issuer.countPolls(userCode), cpu: cpuOf(running.pid) };
  await pause(POLLS * INTERVAL_S * 1000);
  const polls = await issuer.countPolls(userCode) - before.polls;
  const cpu = cpuOf(running.pid) - before.cpu;
  if (polls === 0) throw new Error(`it did not poll: ${running.output()}`);
  return {
    "CPU per poll": cpu / polls,
    "polls": polls / (POLLS * INTERVAL_S),
    "resident": memoryOf(running.pid).resident,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
