import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Every system call that changes a file or lets go of one, by the names of both usual architectures. */
const CHANGING = [
  "openat",
  "write",
  "pwrite64",
  "fsync",
  "fdatasync",
  "ftruncate",
  "flock",
  "close",
  ...["rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat"],
  ...["chmod", "fchmod", "fchmodat", "link", "linkat", "symlink", "symlinkat"],
];

/** Calls whose file is their first argument, a descriptor. */
const BY_DESCRIPTOR: ReadonlySet<string> = new Set(
  ["write", "pwrite64", "fsync", "fdatasync", "ftruncate", "flock", "close", "fchmod"],
);

/** One system call on a file of the home. */
export interface FileCall {
  readonly name: string;
  /** Below the home; "." is the home itself. Of a rename it is the old name. */
  readonly path: string;
  /** How many of that name on that path there were before, and this one: 1 is the first. */
  readonly count: number;
  /** The arguments as strace shows them. */
  readonly text: string;
}

/** What is done to one call instead of doing it. */
export type Injection = "kill" | `error=${string}`;

/** The command to put before another so that its calls are written to `file`. */
export function recording(file: string): string[] {
  return ["strace", "-f", "-qq", "-y", "-o", file, "-e", `trace=${CHANGING.join()}`];
}

/**
 * The command to put before another so that one call on one file never happens. strace counts for each thread by itself: a
 * runtime with a pool of them may make the second call of a kind in another thread than the first, and then that one is not
 * met, or two are. The first one always is.
 */
export function injecting(
  file: string,
  home: string,
  { name, path, count }: Pick<FileCall, "name" | "path" | "count">,
  injection: Injection,
): string[] {
  const what = injection === "kill" ? "signal=KILL" : injection;
  return [
    ...["strace", "-f", "-q", "-y", "-o", file, "-P", join(home, path)],
    ...["-e", `trace=${name}`, "-e", `inject=${name}:${what}:when=${count}`],
  ];
}

/** The calls on files in the home, in their order. */
export async function readCalls(file: string, home: string): Promise<FileCall[]> {
  const counts = new Map<string, number>();
  const calls: FileCall[] = [];
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    const [, name = "", text = ""] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    const absolute = pathOf(name, text);
    if (absolute !== home && !absolute?.startsWith(`${home}/`)) continue;
    const path = relative(home, absolute) || ".";
    const count = (counts.get(`${name} ${path}`) ?? 0) + 1;
    counts.set(`${name} ${path}`, count);
    calls.push({ name, path, count, text });
  }
  return calls;
}

/** The arguments of each call that was hit: one, or one in each of several threads; none when it was not met. */
export async function readInjected(file: string, injection: Injection): Promise<string[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  if (injection === "kill") {
    const isKilled = lines.some((line) => line.endsWith("+++ killed by SIGKILL +++"));
    return isKilled ? [argumentsOf(lines.findLast((line) => CALL.test(line)))] : [];
  }
  return lines.flatMap((line, at) => {
    if (!line.endsWith("(INJECTED)")) return [];
    const [, thread, resumed] = /^(\d+) +(<\.\.\. )?/.exec(line) ?? [];
    const isBegun = (one: string): boolean => one.startsWith(`${thread} `) && CALL.test(one);
    return [argumentsOf(resumed ? lines.slice(0, at).findLast(isBegun) : line)];
  });
}

const CALL = /^\d+ +\w+\(/;

function argumentsOf(line = ""): string {
  return line.replace(CALL, "");
}

function pathOf(name: string, text: string): string | undefined {
  if (BY_DESCRIPTOR.has(name)) return /^\d+<([^>]*)>/.exec(text)?.[1];
  return /^(?:\w+(?:<[^>]*>)?, )?"([^"]*)"/.exec(text)?.[1];
}
