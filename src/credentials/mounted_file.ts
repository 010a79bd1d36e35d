import { constants } from "node:fs";
import { copyFile, type FileHandle, realpath, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { openNoFollow } from "../no_follow.ts";
import type { RandomBytes } from "../oauth/pkce.ts";
import { readProc } from "../proc.ts";
import type { FileLock } from "../runtime/runtime.ts";
import { replaceFile, saveFailed, syncFolder } from "./atomic_file.ts";
import { MAX_AUTH_FILE_BYTES } from "./auth_file.ts";
import { pendingPath, UNFINISHED } from "./pending_file.ts";

/**
 * Whether something is mounted at exactly this path, as containers do with single files: such a file can be written and
 * emptied, but neither renamed over nor removed. Only Linux tells.
 */
export async function isMountPoint(path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return false;
  const listed = real.replace(
    /[ \t\n\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  const table = await readProc("/proc/self/mountinfo");
  return table.split("\n").some((line) => line.split(" ")[4] === listed);
}

/**
 * Writes a mounted file in place. A complete copy is synced beside it first, under a name that the next start looks for while
 * the file is no JSON; space is reserved behind the old text, where blanks do no harm; and if writing fails all the same, the
 * old bytes are put back.
 *
 * @param aside where a copy of the old file goes, because nobody could read it.
 * @throws {LoginError} SAVE_FAILED; where the old bytes could not be put back, its note says what counts now.
 */
export async function overwriteMountedFile(
  path: string,
  text: string,
  randomBytes: RandomBytes,
  aside?: string,
): Promise<void> {
  const pending = pendingPath(path);
  let isWhole = true;
  try {
    if (aside !== undefined) await copyFile(path, aside, constants.COPYFILE_EXCL);
    await replaceFile(pending, text, randomBytes);
    await withFile(path, async (file, old) => {
      const bytes = Buffer.from(text);
      await reserve(file, old.length, bytes.length);
      isWhole = false;
      await writeGuarded(file, bytes).catch(async (thrown) => {
        await writeGuarded(file, old);
        isWhole = true;
        throw thrown;
      });
      isWhole = true;
    });
  } catch (thrown) {
    const error = saveFailed(path, thrown);
    if (!isWhole) {
      error.note = `${basename(pending)} holds the new login, which counts while ${
        basename(path)
      } is not whole`;
    }
    throw error;
  } finally {
    // If not even the old bytes could be put back, the copy is all there is.
    if (isWhole) await unlink(pending).catch(() => {});
    await syncFolder(dirname(path));
  }
}

/**
 * Proves that `bytes` could be written into a mounted file, and leaves it as it was.
 *
 * @param tryLock for who has not locked the file. Where somebody else has, who may be writing it in another container, nothing
 * is tried out but to open it.
 * @throws {LoginError} SAVE_FAILED
 */
export async function proveMountedFile(
  path: string,
  bytes: number,
  tryLock?: () => Promise<FileLock | undefined>,
): Promise<void> {
  let lock: FileLock | undefined;
  try {
    await withFile(path, () => Promise.resolve());
    if (tryLock) {
      lock = await tryLock();
      if (!lock) return;
    }
    await withFile(path, async (file, old) => {
      await reserve(file, old.length, bytes);
      await file.truncate(old.length);
    });
  } catch (thrown) {
    throw saveFailed(path, thrown);
  } finally {
    lock?.release();
  }
}

/** An empty file means what no file means. @throws {LoginError} SAVE_FAILED */
export async function emptyMountedFile(path: string): Promise<void> {
  try {
    await withFile(path, async (file) => {
      await file.truncate(0);
      await file.sync();
    });
  } catch (thrown) {
    throw saveFailed(path, thrown);
  }
}

async function withFile(
  path: string,
  use: (file: FileHandle, old: Uint8Array) => Promise<void>,
): Promise<void> {
  const file = await openNoFollow(path, constants.O_RDWR);
  try {
    const { size } = await file.stat();
    if (size > MAX_AUTH_FILE_BYTES) throw Object.assign(new Error(), { code: "EFBIG" });
    const old = new Uint8Array(size);
    await file.read(old, 0, size, 0);
    await use(file, old);
  } finally {
    await file.close();
  }
}

/** Makes the file as long as the new text will be, with blanks: no later write has to ask for space. */
async function reserve(file: FileHandle, from: number, to: number): Promise<void> {
  if (to <= from) return;
  try {
    await writeFully(file, new Uint8Array(to - from).fill(0x20), from);
    await file.sync();
  } catch (thrown) {
    await file.truncate(from);
    throw thrown;
  }
}

/** The first byte comes last: until then the file is no JSON, so a mixture is never taken for whole. */
async function writeGuarded(file: FileHandle, bytes: Uint8Array): Promise<void> {
  await writeFully(file, UNFINISHED, 0);
  await file.sync();
  await writeFully(file, bytes.subarray(1), 1);
  await file.truncate(bytes.length);
  await file.sync();
  await writeFully(file, bytes.subarray(0, 1), 0);
  await file.sync();
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const rest = bytes.length - written;
    written += (await file.write(bytes, written, rest, position + written)).bytesWritten;
  }
}
