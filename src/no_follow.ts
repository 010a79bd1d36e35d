import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  type Stats,
} from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";

/** How often a file may be replaced by somebody else while it is being opened. */
const TRIES = 5;

/**
 * Opens a file that no link may lead to. O_NOFOLLOW alone is not enough: with less than all permissions Deno resolves the
 * links of a path before it opens it. So it is looked at before, and what was opened must be what is there afterwards.
 *
 * @param flags O_TRUNC takes effect only once that is sure.
 * @returns the descriptor.
 * @throws the system's error; ELOOP for a link.
 */
export function openNoFollowSync(path: string, flags: number, mode?: number): number {
  for (let left = TRIES; left > 0; left--) {
    if (isLink(lstatSync(path, { throwIfNoEntry: false }))) break;
    const descriptor = openSync(path, carefully(flags), mode);
    try {
      if (isSame(lstatSync(path, { throwIfNoEntry: false }), fstatSync(descriptor))) {
        if (flags & constants.O_TRUNC) ftruncateSync(descriptor);
        return descriptor;
      }
    } catch (thrown) {
      closeSync(descriptor);
      throw thrown;
    }
    closeSync(descriptor);
  }
  throw isALink(path);
}

/** The same as openNoFollowSync(), without keeping others waiting. */
export async function openNoFollow(
  path: string,
  flags: number,
  mode?: number,
): Promise<FileHandle> {
  for (let left = TRIES; left > 0; left--) {
    if (isLink(await lstatOrMissing(path))) break;
    const file = await open(path, carefully(flags), mode);
    try {
      if (isSame(await lstatOrMissing(path), await file.stat())) {
        if (flags & constants.O_TRUNC) await file.truncate();
        return file;
      }
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
    await file.close();
  }
  throw isALink(path);
}

function carefully(flags: number): number {
  return (flags & ~constants.O_TRUNC) | (constants.O_NOFOLLOW ?? 0);
}

function isLink(stat: Stats | undefined): boolean {
  return stat?.isSymbolicLink() ?? false;
}

/** Windows numbers files in its own way, and has no links that just anybody may make. */
function isSame(there: Stats | undefined, opened: Stats): boolean {
  if (isLink(there)) return false;
  return process.platform === "win32" || (there?.ino === opened.ino && there.dev === opened.dev);
}

async function lstatOrMissing(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch((thrown) => {
    if (thrown.code === "ENOENT") return undefined;
    throw thrown;
  });
}

function isALink(path: string): Error {
  return Object.assign(new Error(`${path} is a link`), { code: "ELOOP" });
}
