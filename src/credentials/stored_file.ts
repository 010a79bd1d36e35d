import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { readSmallFile } from "../small_file.ts";
import { type Credentials, MAX_AUTH_FILE_BYTES, parseAuthFile } from "./auth_file.ts";
import { isUnfinished, pendingPath } from "./pending_file.ts";

/** What a file that is being written in place is looked at again after, and for how long: milliseconds. */
const PAUSE_MS = 20;
const UNFINISHED_MS = 2_000;

/** @throws {LoginError} CREDENTIALS_CORRUPT when it is too large, CREDENTIALS_UNREADABLE */
export function readText(path: string): Promise<string | undefined> {
  return readSmallFile(path, MAX_AUTH_FILE_BYTES, (reason, isTooLarge) =>
    new LoginError(
      // A giant is no login, and may be replaced; what cannot be read may be one.
      isTooLarge ? "CREDENTIALS_CORRUPT" : "CREDENTIALS_UNREADABLE",
      `${printable(path)} cannot be read`,
      { reason },
    ));
}

/**
 * A file that was being written in place when the process died is made good by the copy beside it. One that is being written
 * this moment, in another container where that copy is, is waited for: it is not damaged.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT, CREDENTIALS_UNREADABLE
 */
export async function readCredentials(
  path: string,
  pause: () => Promise<unknown> = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
): Promise<Credentials | undefined> {
  for (let left = UNFINISHED_MS / PAUSE_MS;; left--) {
    const text = await readText(path);
    if (text === undefined) return undefined;
    try {
      return parseAuthFile(text) ?? await readPending(path);
    } catch (thrown) {
      const pending = await readPending(path);
      if (pending) return pending;
      if (left === 0 || !isUnfinished(text)) throw thrown;
    }
    await pause();
  }
}

async function readPending(path: string): Promise<Credentials | undefined> {
  try {
    return parseAuthFile(await readText(pendingPath(path)) ?? "");
  } catch {
    return undefined;
  }
}

/** For those who replace: a damaged file counts as none. */
export async function readOrDamaged(
  target: string,
): Promise<{ credentials: Credentials | undefined; isDamaged: boolean }> {
  try {
    return { credentials: await readCredentials(target), isDamaged: false };
  } catch (thrown) {
    if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") {
      return { credentials: undefined, isDamaged: true };
    }
    throw thrown;
  }
}
