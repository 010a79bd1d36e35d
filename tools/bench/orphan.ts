import { BUN } from "./bun.ts";
import { loadLibc } from "./libc.ts";

/** What the kernel says a process has used in all. */
export interface Usage {
  readonly peakBytes: number;
  readonly exitCode: number;
}

export interface OrphanOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A file to read stdin from. */
  readonly input?: string;
}

/** Waits with the program until the shell is gone, so that the shell cannot wait for it. */
const SCRIPT = `exec 3<&0; input=$1; shift
( read -r _ <&3; exec "$@" <"$input" >/dev/null 2>&1 3<&- ) >/dev/null 2>&1 & echo $!`;

/**
 * Runs a program to its end and tells its peak memory. The kernel counts to a process what its parent held when it was started, as
 * long as both shared memory until the program was loaded, and this process holds more than most that is measured. So a shell,
 * which holds next to nothing, starts it and ends, and its orphan is waited for here.
 */
export async function runOrphan(
  command: readonly string[],
  { env, cwd, input = "/dev/null" }: OrphanOptions,
): Promise<Usage> {
  const libc = await loadLibc();
  libc.adoptOrphans();
  const shell = BUN.spawn(["/bin/sh", "-c", SCRIPT, "sh", input, ...command], {
    env,
    cwd,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const pid = Number(await new Response(shell.stdout).text());
  await shell.exited;
  shell.stdin.end();
  const found = libc.wait(pid);
  if (!found) throw new Error("the kernel did not tell what it used");
  return {
    peakBytes: Number(found.usage[4] ?? 0n) * 1024,
    exitCode: (found.status >> 8) & 0xff,
  };
}
