import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { LoginError } from "./errors.ts";
import { openNoFollowSync } from "./no_follow.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { describeSystemError } from "./system_error.ts";

const MAX_BYTES = 1 << 20;
const FILE_NAME = "codex-login.log";

/** A log on the disk, to which several processes may append. */
export interface LogFile {
  /** Writes it at once, as it is. It never throws: a full disk must not end a login. */
  append(text: string): void;
}

/**
 * Opens `codex-login.log` for appending: 0600, a regular file of one name, never through a link. One of more than 1 MiB becomes
 * the old one, of which one is kept.
 *
 * @param tryLock keeps two processes from doing that at once; absent where nobody else is there.
 * @throws {LoginError} SAVE_FAILED
 */
export async function openLogFile(folder: string, tryLock?: Runtime["tryLock"]): Promise<LogFile> {
  const path = join(folder, FILE_NAME);
  let descriptor: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    descriptor = openForAppending(path);
    if (isFull(descriptor)) {
      await rotate(path, tryLock);
      follow();
    }
  } catch (thrown) {
    if (thrown instanceof LoginError) throw thrown;
    throw unwritable(path, describeSystemError(thrown));
  }
  let rotating: Promise<void> | undefined;

  /** Another process may have rotated it, or somebody removed it: lines belong where people look for them. */
  function follow(): void {
    const there = lstatSync(path, { throwIfNoEntry: false });
    const own = fstatSync(descriptor);
    if (there?.ino === own.ino && there.dev === own.dev) return;
    const former = descriptor;
    descriptor = openForAppending(path);
    closeSync(former);
  }

  return {
    append(text): void {
      try {
        follow();
      } catch {
        // What is there now is no log of ours; the file that we have goes on.
      }
      try {
        writeSync(descriptor, text);
        if (isFull(descriptor)) {
          rotating ??= rotate(path, tryLock).catch(() => {}).finally(() => rotating = undefined);
        }
      } catch {
        // A full disk.
      }
    },
  };
}

function isFull(descriptor: number): boolean {
  return fstatSync(descriptor).size > MAX_BYTES;
}

/** @throws the system's error, or a LoginError SAVE_FAILED for what is no log. */
function openForAppending(path: string): number {
  // O_NONBLOCK: a FIFO that nobody reads is not waited for.
  const descriptor = openNoFollowSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0),
    0o600,
  );
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || (stat.nlink ?? 1) > 1) {
      throw unwritable(
        path,
        stat.isFile() ? "it has more than one name" : "it is not a regular file",
      );
    }
    if ((stat.mode & 0o077) !== 0) fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

function unwritable(path: string, reason: string): LoginError {
  return new LoginError("SAVE_FAILED", `The log ${path} cannot be written`, { reason });
}

/** Whoever holds the lock of the file with that name renames it, if it is still too large: others find the new one. */
async function rotate(path: string, tryLock: Runtime["tryLock"] | undefined): Promise<void> {
  // Where there are no locks, or none to be had, a small risk to old lines is better than no log.
  const lock = await tryLock?.(path).catch(() => ({ release: (): void => {} }));
  if (tryLock && !lock) return;
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isFile() && there.size > MAX_BYTES) renameSync(path, `${path}.1`);
  } finally {
    lock?.release();
  }
}
