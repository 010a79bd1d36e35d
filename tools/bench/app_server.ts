import { type Bench, programs, type Section } from "./bench.ts";
import { makeCertificate } from "./certificate.ts";
import type { Findings } from "./measure.ts";
import { memoryOf } from "./process_figures.ts";
import { startRemoteIssuer } from "./remote_issuer.ts";
import { type Job, type Readings, runRounds } from "./rounds.ts";
import { startRpcPeer } from "./rpc_peer.ts";
import type { Subject } from "./subject.ts";

const REQUESTS = 10_000;
const COUNT = REQUESTS.toLocaleString("en");
/** These take their time: fewer questions tell the same, and the time is scaled. */
const FEWER: Readonly<Record<string, number>> = { reference: 500, deno: 2_000, node: 2_000 };
const WARM_UP_REQUESTS = 5;
const LIFETIME_S = 864_000;

/** The server of editors. */
export const APP_SERVER: Section = { name: "app-server", title: "App-server", run };

async function run(bench: Bench): Promise<Findings> {
  const certificate = makeCertificate(bench.place.folder);
  await using issuer = await startRemoteIssuer(bench.place.cwd, certificate);
  const logins = {
    "API key": { auth_mode: "apikey", OPENAI_API_KEY: "sk-proj-0123456789abcdefghijklmnop" },
    "ChatGPT": await issuer.login(LIFETIME_S),
  };
  const jobs = Object.entries(logins).flatMap(([name, auth]) =>
    programs(bench).filter(({ name }) => name !== "reference-npm").map((subject): Job => ({
      name: `account/read, ${name}`,
      subject: subject.name,
      run: () => converse(bench, subject, auth, issuer.environment),
    }))
  );
  return {
    measures: await runRounds(bench.runs, jobs, {
      "start to answer": "ms",
      "answered": "/s",
      [`time for ${COUNT}`]: "ms",
      "resident": "MB",
    }),
    notes: [
      "`start to answer` is from the start of the process to the answer to `initialize`.",
      `${COUNT} times account/read with "refreshToken": false, 64 of them under way at any time: the reference refuses some where there are more than 128.`,
      `The time is for ${COUNT}; it is scaled where fewer were sent: ${
        Object.entries(FEWER).map(([name, count]) => `${name} ${count}`).join(", ")
      }.`,
      "What both look up once, at the issuer and in files, is looked up before.",
    ],
  };
}

async function converse(
  bench: Bench,
  subject: Subject,
  auth: unknown,
  env: Readonly<Record<string, string>>,
): Promise<Readings> {
  const count = FEWER[subject.name] ?? REQUESTS;
  await using peer = await startRpcPeer(bench, subject, bench.place.home(auth), env);
  await peer.readAccounts(WARM_UP_REQUESTS);
  const ms = await peer.readAccounts(count);
  return {
    "start to answer": peer.initializedMs,
    "answered": count / ms * 1000,
    [`time for ${COUNT}`]: ms * REQUESTS / count,
    "resident": memoryOf(peer.running.pid).resident,
  };
}
