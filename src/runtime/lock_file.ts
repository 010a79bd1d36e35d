import { closeSync, constants, fchmodSync, fstatSync } from "node:fs";
import { LoginError, systemCode } from "../errors.ts";
import { openNoFollowSync } from "../no_follow.ts";
import { describeSystemError } from "../system_error.ts";

/**
 * Opens a lock file, made 0600 when missing. Lock files stay when the lock is released: removing one
 * would let two processes hold locks on different files of the same name.
 *
 * @throws {LoginError} SAVE_FAILED when it cannot be opened or is no regular file.
 */
export function openLockFile(path: string, extraFlags = 0): number {
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NONBLOCK ?? 0) | extraFlags;
  let descriptor: number;
  try {
    descriptor = openNoFollowSync(path, flags, 0o600);
  } catch (thrown) {
    if (extraFlags !== 0 && systemCode(thrown) === "EAGAIN") throw thrown;
    throw new LoginError("SAVE_FAILED", `The lock file ${path} cannot be opened`, {
      reason: describeSystemError(thrown),
    });
  }
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) {
    closeSync(descriptor);
    throw new LoginError("SAVE_FAILED", `The lock file ${path} is not a regular file`);
  }
  // Whoever can open it can hold it for ever, and the reference makes it as the umask says.
  if ((stat.mode & 0o077) !== 0 && stat.uid === process.getuid?.()) fchmodSync(descriptor, 0o600);
  return descriptor;
}

export function lockUnsupported(path: string, reason: string): LoginError {
  return new LoginError("LOCK_UNSUPPORTED", `${path} cannot be locked here`, { reason });
}
