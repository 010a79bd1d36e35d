import { LoginError } from "../../src/errors.ts";
import { createFetch } from "../../src/http.ts";
import { loadRuntime } from "../../src/runtime/runtime.ts";
import { sleep } from "../../src/system_world.ts";
import { SILENT_LOG, type World } from "../../src/world.ts";

export interface TestWorld extends World {
  /** Lines on stdout. */
  readonly data: string[];
  /** Lines on stderr. */
  readonly words: string[];
  readonly launched: (readonly string[])[];
  /** Tells the program to end, as a signal does. */
  end(reason: unknown): void;
}

/** A World with a real runtime and real sockets, a silent terminal, and a browser that is only written down. */
export async function createWorld(changes: Partial<World> = {}): Promise<TestWorld> {
  const ending = new AbortController();
  const data: string[] = [];
  const words: string[] = [];
  const launched: (readonly string[])[] = [];
  return {
    // A desktop: elsewhere no browser is opened.
    env: { DISPLAY: ":0" },
    platform: process.platform,
    runtime: await loadRuntime(),
    stdin: { read: () => Promise.resolve(new Uint8Array()) },
    followStdin: () => Promise.resolve(),
    isTerminal: () => Promise.resolve(false),
    columns: () => undefined,
    openTerminal: () => Promise.resolve(undefined),
    writeData: (line) => void data.push(line),
    sendData(text): Promise<void> {
      data.push(...text.trimEnd().split("\n"));
      return Promise.resolve();
    },
    sendWords(text): Promise<void> {
      words.push(...text.trimEnd().split("\n"));
      return Promise.resolve();
    },
    answerData(text): Promise<void> {
      data.push(...text.trimEnd().split("\n"));
      return Promise.resolve();
    },
    answerWords(text): Promise<void> {
      words.push(...text.trimEnd().split("\n"));
      return Promise.resolve();
    },
    writeWords: (text) => void words.push(...text.split("\n")),
    fetch: createFetch(),
    keyring: () => Promise.resolve({ failure: "there is none in tests", isAbsent: true }),
    launch(command): Promise<undefined> {
      launched.push(command);
      return Promise.resolve(undefined);
    },
    now: Date.now,
    elapsed: () => performance.now(),
    sleep,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    signal: ending.signal,
    log: SILENT_LOG,
    saved: () => {},
    hold: (work) => work(),
    interrupt: () => ending.abort(new LoginError("INTERRUPTED", "Cancelled at the keyboard")),
    data,
    words,
    launched,
    end: (reason) => ending.abort(reason),
    ...changes,
  };
}
