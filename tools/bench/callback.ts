import { type Bench, programs, type Section } from "./bench.ts";
import { makeCertificate } from "./certificate.ts";
import { requestHead } from "./exchange.ts";
import { ADDRESS, startLogin } from "./login.ts";
import type { Findings } from "./measure.ts";
import { LOGIN_PORT, waitUntilFree } from "./port.ts";
import { memoryOf } from "./process_figures.ts";
import { type RemoteIssuer, startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import type { Subject } from "./subject.ts";

/** A person takes longer than that: what start-up left to be done is done by then, in ms. */
const SETTLED_MS = 300;

/** A whole browser login, driven without a browser. */
export const CALLBACK: Section = { name: "callback", title: "Callback", run };

async function run(bench: Bench): Promise<Findings> {
  const certificate = makeCertificate(bench.place.folder);
  await using issuer = await startRemoteIssuer(bench.place.cwd, certificate);
  const jobs = programs(bench).map((subject): Job => ({
    name: "callback to redirect",
    subject: subject.name,
    run: () => signIn(bench, subject, issuer),
  }));
  const waiting = { resident: "MB", anonymous: "MB" };
  return {
    measures: await runRounds(bench.runs, jobs, { wall: "ms", cpu: "ms", end: "ms", ...waiting }),
    notes: [
      "Each program signs in at the real issuer's name; a proxy on loopback leads it to a test issuer that answers at once, over TLS.",
      "Between the callback and the redirect the reference asks the issuer twice: for tokens, and for an API key. Ours has stored the tokens by then, and asks for the key beside it.",
      "CPU time is of the whole process, from start to end; `end` is from the last page to the end of the process.",
      `Memory is read ${SETTLED_MS} ms after the address was shown, while it waits; of reference-npm it is that of two processes.`,
    ],
  };
}

async function signIn(bench: Bench, subject: Subject, issuer: RemoteIssuer): Promise<Readings> {
  await waitUntilFree(LOGIN_PORT);
  await using running = startLogin(bench, subject, { port: 0, env: issuer.environment });
  const [authUrl] = await running.shows(ADDRESS);
  const callback = await issuer.walk(authUrl);
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const { resident, anonymous } = memoryOf(running.pid);
  const started = performance.now();
  const { status, location } = await requestHead(callback);
  const wall = performance.now() - started;
  if (status !== 302 && status !== 303) {
    throw new Error(`the callback was answered with ${status}: ${running.output()}`);
  }
  const shown = performance.now();
  await requestHead(new URL(location ?? "", callback).href);
  const { exitCode, cpuMs } = await running.ended();
  const end = performance.now() - shown;
  if (exitCode !== 0) throw new Error(`it ended with ${exitCode}: ${running.output()}`);
  return { wall, cpu: cpuMs, end, resident, anonymous };
}
