import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Every system call that changes a file or lets go of one, by the names of every usual architecture. */
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
  ...["writev", "pwritev", "truncate", "fallocate", "copy_file_range", "sendfile"],
  ...["open", "creat", "openat2", "fchown", "fchownat", "chown", "mknodat"],
];

/** Those that only look. */
const READING = ["read", "pread64", "readv", "getdents64"];

export function isReading({ name }: Pick<FileCall, "name">): boolean {
  return READING.includes(name);
}

/** Calls whose file is their first argument, a descriptor. */
const BY_DESCRIPTOR: ReadonlySet<string> = new Set(
  [
    ...["write", "pwrite64", "fsync", "fdatasync", "ftruncate", "flock", "close", "fchmod"],
    ...["writev", "pwritev", "fallocate", "fchown", "copy_file_range", "sendfile"],
    ...READING,
  ],
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
  return [
    "strace",
    "-f",
    "-qq",
    "-y",
    "-o",
    file,
    "-e",
    `trace=${[...CHANGING, ...READING].map((name) => `?${name}`).join()}`,
  ];
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

/** One call that never happened. */
export interface InjectedCall {
  /** Its arguments. */
  readonly text: string;
  /** How many of its kind there were until then in all threads, itself included. */
  readonly count: number;
}

/** Each call that was hit: one, or one in each of several threads; none when it was not met. */
export async function readInjected(file: string, injection: Injection): Promise<InjectedCall[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  const describe = (at: number): InjectedCall => ({
    text: (lines[at] ?? "").replace(CALL, ""),
    count: lines.slice(0, at + 1).filter((line) => CALL.test(line)).length,
  });
  if (injection === "kill") {
    const isKilled = lines.some((line) => line.endsWith("+++ killed by SIGKILL +++"));
    return isKilled ? [describe(lines.findLastIndex((line) => CALL.test(line)))] : [];
  }
  return lines.flatMap((line, at) => {
    if (!line.endsWith("(INJECTED)")) return [];
    const [, thread, resumed] = /^(\d+) +(<\.\.\. )?/.exec(line) ?? [];
    const isBegun = (one: string): boolean => one.startsWith(`${thread} `) && CALL.test(one);
    return [describe(resumed ? lines.slice(0, at).findLastIndex(isBegun) : at)];
  });
}

const CALL = /^\d+ +\w+\(/;

function pathOf(name: string, text: string): string | undefined {
  if (BY_DESCRIPTOR.has(name)) return /^\d+<([^>]*)>/.exec(text)?.[1];
  return /^(?:\w+(?:<[^>]*>)?, )?"([^"]*)"/.exec(text)?.[1];
}
