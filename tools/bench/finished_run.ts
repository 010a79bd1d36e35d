import { readFileSync } from "node:fs";
import { BUN } from "./bun.ts";
import { runOrphan } from "./orphan.ts";
import type { Readings } from "./rounds.ts";

export interface FinishedRun {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A file that it reads from stdin. */
  readonly input?: string;
  /** What it has to end with. */
  readonly exitCode: number;
}

/** None takes nearly as long. */
const LIMIT_MS = 60_000;

/** Wall and CPU time of a program that runs to its end. */
export function timeRun({ command, env, cwd, input, exitCode }: FinishedRun): Readings {
  const stdin = input === undefined ? "ignore" : readFileSync(input);
  const started = performance.now();
  const child = BUN.spawnSync(command, {
    ...{ env, cwd, stdin, timeout: LIMIT_MS },
    ...{ stdout: "ignore", stderr: "ignore" },
  });
  const wall = performance.now() - started;
  if (child.exitCode !== exitCode) {
    throw new Error(`it ended with ${child.exitCode} and not with ${exitCode}`);
  }
  return { wall, cpu: Number(child.resourceUsage.cpuTime.total) / 1000 };
}

/** Peak memory of the same, by a run of its own. */
export async function weighRun({ command, env, cwd, input, exitCode }: FinishedRun): Promise<
  Readings
> {
  const usage = await runOrphan(command, { env, cwd, ...(input === undefined ? {} : { input }) });
  if (usage.exitCode !== exitCode) {
    throw new Error(`it ended with ${usage.exitCode} and not with ${exitCode}`);
  }
  return { peak: usage.peakBytes / 1e6 };
}
