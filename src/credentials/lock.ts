import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { formatDuration } from "../duration.ts";
import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { readProc } from "../proc.ts";
import type { FileLock } from "../runtime/runtime.ts";
import type { World } from "../world.ts";

const PAUSE_MS = 50;
/** Milliseconds after which a person is told what is being waited for. */
const PATIENCE_MS = 1_000;

type LockWorld = Pick<World, "runtime" | "sleep" | "elapsed">;

export interface LockWait {
  /** Give up after this long, in ms, for all locks together. */
  readonly limitMs: number;
  /** Told once, when the wait gets long: a sentence that names the holder. */
  readonly onWait?: ((message: string) => void) | undefined;
  /** What helps when nobody lets go, if it is not to end the one who holds it. */
  readonly hint?: string;
  /** Ends the wait. Absent where fresh tokens are at stake, which a Ctrl-C must not lose. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `critical` while holding the given lock files, taken in their order. They are flock(2) locks, which the kernel
 * frees whatever happens to the process, and the same files that the reference locks.
 *
 * @throws {LoginError} LOCK_BUSY when another process does not let go in time, LOCK_UNSUPPORTED where there are no locks.
 */
export async function withLocks<T>(
  world: LockWorld,
  paths: readonly string[],
  wait: LockWait,
  critical: () => Promise<T>,
): Promise<T> {
  const started = world.elapsed();
  const held: FileLock[] = [];
  try {
    for (const path of paths) held.push(await acquire(world, path, started, wait));
    return await critical();
  } finally {
    for (const lock of held.reverse()) lock.release();
  }
}

async function acquire(
  world: LockWorld,
  path: string,
  started: number,
  { limitMs, onWait, hint, signal }: LockWait,
): Promise<FileLock> {
  let isTold = false;
  for (;;) {
    const lock = await world.runtime.tryLock(path);
    if (lock) return lock;
    const waited = world.elapsed() - started;
    if (waited >= limitMs) {
      throw new LoginError("LOCK_BUSY", `${basename(path)} is locked by another process`, {
        reason: `${await lockHolder(path)} holds it for more than ${formatDuration(limitMs)}`,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    if (waited >= PATIENCE_MS && !isTold) {
      isTold = true;
      onWait?.(`Waiting for ${await lockHolder(path)}, which holds ${basename(path)}.`);
    }
    await world.sleep(PAUSE_MS, signal);
    signal?.throwIfAborted();
  }
}

/**
 * Who holds a lock, from the kernel's own list where there is one.
 *
 * @param unknown what to say when that list has nobody.
 */
export async function lockHolder(path: string, unknown = "another process"): Promise<string> {
  const file = await stat(path).catch(() => undefined);
  const locks = await readProc("/proc/locks");
  const row = locks.split("\n").find((line) =>
    / FLOCK /.test(line) && !line.includes("->") && file && line.includes(`:${file.ino} `)
  );
  const pid = row?.trim().split(/\s+/)[4];
  if (!pid || pid === "0") return unknown;
  const name = await readProc(`/proc/${pid}/comm`) || "a program";
  return `${printable(name, 40)} (process ${pid})`;
}
