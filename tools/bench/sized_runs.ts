import type { Bench } from "./bench.ts";
import { BUN } from "./bun.ts";
import { timeRun } from "./finished_run.ts";
import type { Readings } from "./rounds.ts";
import { startRpcPeer } from "./rpc_peer.ts";
import type { Subject } from "./subject.ts";

const LIMIT_MS = 120_000;

type Login = Readonly<Record<string, unknown>>;

/** A status with so many bytes stored, most of them of nobody's concern. */
export function storedBytes(
  { place }: Bench,
  { kind, command }: Subject,
  login: Login,
  bytes: number,
): Promise<Readings> {
  const bare = JSON.stringify({ ...login, padding: "" }).length;
  const padded = JSON.stringify({ ...login, padding: "x".repeat(Math.max(0, bytes - bare)) });
  const { wall = 0 } = timeRun({
    command: [...command, ...statusOf(kind)],
    env: place.environment(place.home(padded)),
    cwd: place.cwd,
    exitCode: 0,
  });
  return Promise.resolve({ wall });
}

/** So many of it at once, until the last has ended. */
export async function processes(
  { place }: Bench,
  { kind, command }: Subject,
  login: Login,
  count: number,
): Promise<Readings> {
  const env = place.environment(place.home(login));
  const started = performance.now();
  const children = Array.from({ length: count }, () =>
    BUN.spawn([...command, ...statusOf(kind)], {
      ...{ env, cwd: place.cwd, timeout: LIMIT_MS },
      ...{ stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    }));
  const codes = await Promise.all(children.map(({ exited }) => exited));
  const wall = performance.now() - started;
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) throw new Error(`one ended with ${failed}`);
  return { wall };
}

/** So many questions to an app-server. */
export async function messages(
  bench: Bench,
  subject: Subject,
  login: Login,
  env: Readonly<Record<string, string>>,
  count: number,
): Promise<Readings> {
  await using peer = await startRpcPeer(bench, subject, bench.place.home(login), env);
  await peer.readAccounts(1);
  return { wall: await peer.readAccounts(count) };
}

function statusOf(kind: Subject["kind"]): string[] {
  return kind === "ours" ? ["status"] : ["login", "status"];
}
