import { type Bench, findSubject, type Section } from "./bench.ts";
import { makeCertificate } from "./certificate.ts";
import { requestHead } from "./exchange.ts";
import { startFlood } from "./keep_alive.ts";
import { ADDRESS, startLogin } from "./login.ts";
import type { Findings } from "./measure.ts";
import { LOGIN_PORT, waitUntilFree } from "./port.ts";
import { cpuOf, memoryOf } from "./process_figures.ts";
import { type RemoteIssuer, startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";

const CONNECTIONS = 8;
const FLOOD_MS = 1_000;
const SUBJECTS = ["executable", "reference", "node"];

/** A login that somebody pesters while it waits. */
export const FLOOD: Section = { name: "flood", title: "Flood", run };

async function run(bench: Bench): Promise<Findings> {
  const certificate = makeCertificate(bench.place.folder);
  await using issuer = await startRemoteIssuer(bench.place.cwd, certificate);
  const floods = {
    "flood, unknown path": "/nothing/here",
    "flood, wrong state": `/auth/callback?code=x&state=${"x".repeat(43)}`,
  };
  const jobs = Object.entries(floods).flatMap(([name, path]) =>
    SUBJECTS.flatMap((one): Job[] => {
      const subject = findSubject(bench, one);
      const run = (): Promise<Readings> => pester(bench, subject as Subject, issuer, path);
      return subject ? [{ name, subject: one, run }] : [];
    })
  );
  return {
    measures: await runRounds(bench.runs, jobs, {
      "answered": "/s",
      "connections cut": "/s",
      "CPU per answer": "µs",
      "right callback": "ms",
      "before": "MB",
      "after": "MB",
    }),
    notes: [
      `${CONNECTIONS} connections, each of which asks again when it is answered, and is made again at once when it is cut, for ${
        FLOOD_MS / 1000
      } s; then the right callback is sent in the midst of it, and timed until its redirect.`,
      "Who floods runs on the same cores. Memory is resident memory, before the flood and at its end.",
      "A wrong state ends the login of neither; ours cuts the connection with each answer of this kind, the reference keeps it.",
    ],
  };
}

async function pester(
  bench: Bench,
  subject: Subject,
  issuer: RemoteIssuer,
  path: string,
): Promise<Readings> {
  await waitUntilFree(LOGIN_PORT);
  await using running = startLogin(bench, subject, { port: 0, env: issuer.environment });
  const [authUrl] = await running.shows(ADDRESS);
  const callback = await issuer.walk(authUrl);
  const before = { memory: memoryOf(running.pid).resident, cpu: cpuOf(running.pid) };
  const started = performance.now();
  const flood = startFlood(new URL(path, callback).href, CONNECTIONS);
  try {
    await new Promise((resolve) => setTimeout(resolve, FLOOD_MS));
    const seconds = (performance.now() - started) / 1000;
    const answered = [...flood.answers.values()].reduce((sum, one) => sum + one, 0);
    const after = { memory: memoryOf(running.pid).resident, cpu: cpuOf(running.pid) };
    if (answered === 0) throw new Error("nothing was answered");
    const sent = performance.now();
    const { status } = await requestHead(callback);
    const right = performance.now() - sent;
    if (status !== 302 && status !== 303) throw new Error(`the callback was answered ${status}`);
    return {
      "answered": answered / seconds,
      "connections cut": flood.cut() / seconds,
      "CPU per answer": (after.cpu - before.cpu) / answered * 1000,
      "right callback": right,
      "before": before.memory,
      "after": after.memory,
    };
  } finally {
    flood.stop();
  }
}
