import type { Bench } from "./bench.ts";
import { type Running, startRunning } from "./running.ts";
import type { Subject } from "./subject.ts";

/** An app-server that is asked. */
export interface RpcPeer extends AsyncDisposable {
  readonly running: Running;
  /** From its start to the answer, in ms. */
  readonly initializedMs: number;
  /** Asks so often who is signed in, with many questions under way at any time; ms until all are answered. */
  readAccounts(count: number): Promise<number>;
}

const INITIALIZE = {
  id: 0,
  method: "initialize",
  params: { clientInfo: { name: "bench", title: null, version: "1" } },
};
/** Requests that wait for an answer at any time: the reference refuses some when there are twice as many. */
const PENDING = 64;
const LIMIT_MS = 60_000;

/** @throws {Error} when it does not answer. */
export async function startRpcPeer(
  { place }: Bench,
  { command }: Subject,
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<RpcPeer> {
  let partial = "";
  let waiting = { left: 1, errors: 0, done: (): void => {} };
  let unasked = 0;
  let id = 0;
  const decoder = new TextDecoder();
  const running = startRunning({
    command: [...command, "app-server"],
    env: place.environment(home, env),
    cwd: place.cwd,
    keepsStdin: true,
    onStdout(chunk): void {
      const lines = (partial + decoder.decode(chunk, { stream: true })).split("\n");
      partial = lines.pop() ?? "";
      // What it tells unasked is no answer.
      const answers = lines.filter((line) => !line.includes('"method"') && line.includes('"id"'));
      waiting.errors += answers.filter((line) => line.startsWith('{"error"')).length;
      waiting.left -= answers.length;
      if (waiting.left === 0) waiting.done();
      else askMore(answers.length);
    },
  });

  function askMore(room: number): void {
    const count = Math.min(room, unasked);
    if (count === 0) return;
    unasked -= count;
    const question = (): string =>
      `{"id":${++id},"method":"account/read","params":{"refreshToken":false}}\n`;
    running.write(Array.from({ length: count }, question).join(""));
  }

  /** Resolves when so many answers have come. */
  async function answered(count: number, ask: () => void): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const all = new Promise<void>((resolve, reject) => {
      waiting = { left: count, errors: 0, done: resolve };
      const late = (): void =>
        reject(new Error(`${waiting.left} of ${count} answers did not come: ${running.output()}`));
      timer = setTimeout(late, LIMIT_MS);
    });
    ask();
    await all.finally(() => clearTimeout(timer));
    if (waiting.errors > 0) throw new Error(`${waiting.errors} of ${count} answers are errors`);
  }

  try {
    await answered(1, () => running.write(`${JSON.stringify(INITIALIZE)}\n`));
  } catch (thrown) {
    await running.stop();
    throw thrown;
  }
  const initializedMs = performance.now() - running.started;
  running.write('{"method":"initialized"}\n');

  async function readAccounts(count: number): Promise<number> {
    const started = performance.now();
    unasked = count;
    await answered(count, () => askMore(PENDING));
    return performance.now() - started;
  }
  return { running, initializedMs, readAccounts, [Symbol.asyncDispose]: () => running.stop() };
}
