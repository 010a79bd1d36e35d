import { constants } from "node:fs";
import { open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LoginError } from "../errors.ts";
import { openNoFollow } from "../no_follow.ts";
import { base64Url, type RandomBytes } from "../oauth/pkce.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";
import { pendingPath } from "./pending_file.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL |
  (constants.O_NOFOLLOW ?? 0);

/**
 * Replaces a file so that at every moment, power cuts included, it holds either all of the old or all of the new
 * bytes: a temporary file beside it, 0600 from its first byte, is synced and then renamed over it.
 *
 * A file that is a mount point of its own cannot be renamed over: mounted_file.ts writes those.
 *
 * @param aside where the old file goes instead of being lost, because nobody could read it.
 * @throws {LoginError} SAVE_FAILED; the old bytes are intact and no temporary file is left.
 */
export async function replaceFile(
  target: string,
  text: string,
  randomBytes: RandomBytes,
  aside?: string,
): Promise<void> {
  const temporary = await writeTemporary(target, text, randomBytes);
  try {
    if (aside !== undefined) await moveAside(target, aside);
    await rename(temporary, target).catch(async (thrown) => {
      if (aside !== undefined) await rename(aside, target);
      throw thrown;
    });
    await syncFolder(dirname(target));
  } catch (thrown) {
    await unlink(temporary).catch(() => {});
    throw saveFailed(target, thrown);
  }
}

/**
 * Writes and syncs what is to be renamed over the target, beside it.
 *
 * @returns its path.
 * @throws {LoginError} SAVE_FAILED; nothing is left.
 */
export async function writeTemporary(
  target: string,
  text: string,
  randomBytes: RandomBytes,
): Promise<string> {
  const temporary = temporaryPath(target, randomBytes);
  try {
    await writeNewFile(temporary, text);
    return temporary;
  } catch (thrown) {
    await unlink(temporary).catch(() => {});
    throw saveFailed(target, thrown);
  }
}

/**
 * Proves that a file of `bytes` could be written beside the target, and leaves nothing.
 *
 * @throws {LoginError} SAVE_FAILED
 */
export async function proveWritable(
  target: string,
  bytes: number,
  randomBytes: RandomBytes,
): Promise<void> {
  const temporary = await writeTemporary(target, " ".repeat(bytes), randomBytes);
  await unlink(temporary).catch(() => {});
}

/** Removes what a killed process left. Only with the locks held: then no temporary file is in use. */
export async function removeLeftovers(target: string): Promise<void> {
  const prefixes = [temporaryPrefix(target), temporaryPrefix(pendingPath(target))];
  const isLeftover = (name: string): boolean =>
    name.endsWith(".tmp") && prefixes.some((prefix) => name.startsWith(prefix));
  const names = await readdir(dirname(target)).catch(() => []);
  for (const name of names.filter(isLeftover)) {
    await unlink(join(dirname(target), name)).catch(() => {});
  }
}

/** By renaming, which needs no space and no time however large it is. */
async function moveAside(target: string, aside: string): Promise<void> {
  await makePrivate(target);
  await rename(target, aside);
}

/** Takes a file that the reference or a person made from the eyes of others. */
export async function makePrivate(path: string): Promise<void> {
  const file = await openNoFollow(path, constants.O_RDONLY);
  await file.chmod(0o600).finally(() => file.close());
}

async function writeNewFile(path: string, text: string): Promise<void> {
  const file = await open(path, CREATE, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this a power cut may undo the rename. Some file systems cannot, and then there is nothing to lose by it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function temporaryPrefix(target: string): string {
  return `.${basename(target)}.codex-login-`;
}

function temporaryPath(target: string, randomBytes: RandomBytes): string {
  return join(dirname(target), `${temporaryPrefix(target)}${base64Url(randomBytes(9))}.tmp`);
}

/** Whatever a system call said, as SAVE_FAILED. */
export function saveFailed(target: string, thrown: unknown): LoginError {
  if (thrown instanceof LoginError) return thrown;
  return new LoginError("SAVE_FAILED", `${printable(target)} cannot be written`, {
    reason: describeSystemError(thrown),
  });
}
