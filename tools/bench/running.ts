import { BUN, type BunChild } from "./bun.ts";

/** A program that goes on until it is ended. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** When it was started, by `performance.now()`. */
  readonly started: number;
  /** Resolves with the match when stdout or stderr has it. */
  shows(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray>;
  output(): string;
  write(text: string): void;
  endInput(): void;
  /** Waits until it has ended by itself, or ends it; gives its CPU time. */
  ended(limitMs?: number): Promise<{ readonly exitCode: number; readonly cpuMs: number }>;
  stop(): Promise<void>;
}

export interface RunningOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly keepsStdin?: boolean;
  /** Takes stdout instead of keeping it. */
  readonly onStdout?: (chunk: Uint8Array) => void;
}

/** Those that have not ended. */
const alive = new Set<BunChild>();

/** For who has no time to wait until each is asked. */
export function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

const LIMIT_MS = 30_000;
/** Between the polite signal and the other one. */
const GRACE_MS = 3_000;

export function startRunning(options: RunningOptions): Running {
  const { command, env, cwd, keepsStdin, onStdout } = options;
  const started = performance.now();
  const child: BunChild = BUN.spawn(command, {
    env,
    cwd,
    stdin: keepsStdin ? "pipe" : "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  alive.add(child);
  let text = "";
  let isOver = false;
  const watchers = new Set<() => void>();
  const wake = (): void => watchers.forEach((watch) => watch());
  const decoder = new TextDecoder();
  const keep = (chunk: Uint8Array): void => {
    text += decoder.decode(chunk, { stream: true });
    wake();
  };
  drain(child.stdout, onStdout ?? keep);
  drain(child.stderr, keep);
  const exited = child.exited.then((exitCode) => {
    isOver = true;
    alive.delete(child);
    wake();
    return exitCode;
  });

  async function stop(): Promise<void> {
    if (!isOver) child.kill("SIGTERM");
    if (await within(GRACE_MS, exited) === undefined) child.kill("SIGKILL");
    await exited;
  }

  return {
    pid: child.pid,
    started,
    output: () => text,
    write(line): void {
      child.stdin.write(line);
      child.stdin.flush();
    },
    endInput: () => void child.stdin.end(),
    async shows(pattern, limitMs = LIMIT_MS): Promise<RegExpExecArray> {
      let watch = (): void => {};
      const found = new Promise<RegExpExecArray>((resolve, reject) => {
        watch = (): void => {
          const match = pattern.exec(text);
          if (match) resolve(match);
          else if (isOver) reject(new Error(`it ended: ${text.slice(-300)}`));
        };
        watchers.add(watch);
        watch();
      });
      const match = await within(limitMs, found).finally(() => watchers.delete(watch));
      if (!match) throw new Error(`it did not show ${pattern} within ${limitMs} ms`);
      return match;
    },
    async ended(limitMs = LIMIT_MS): Promise<{ exitCode: number; cpuMs: number }> {
      const exitCode = await within(limitMs, exited);
      if (exitCode === undefined) throw new Error(`it did not end within ${limitMs} ms`);
      return { exitCode, cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000 };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function drain(
  stream: ReadableStream<Uint8Array>,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  try {
    for await (const chunk of stream) take(chunk);
  } catch {
    // It ended, and its pipe with it.
  }
}

/** Undefined when it takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
