import { dirname, join } from "node:path";
import type { World } from "../world.ts";
import { type LockWait, withLocks } from "./lock.ts";
import { isMountPoint } from "./mounted_file.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { createSentMark, type SentMark } from "./sent_mark.ts";

/**
 * Runs `critical` as the only one of our processes that may renew, or move away, the login of these folders. It is not the
 * lock of the file: that one is held for milliseconds, this one for a whole request.
 *
 * @param home CODEX_HOME.
 * @param target where its `auth.json` leads to. One that is mounted by itself, as containers do, may be shared with homes that
 * share nothing else, so it is locked itself.
 * @throws {LoginError} LOCK_BUSY, LOCK_UNSUPPORTED
 */
export async function withRefreshLock<T>(
  world: Pick<World, "runtime" | "sleep" | "elapsed">,
  home: string,
  target: string,
  wait: LockWait,
  critical: (mark: SentMark) => Promise<T>,
): Promise<T> {
  const folders = [...new Set([home, dirname(target)])];
  for (const folder of folders) await makePrivateFolder(folder);
  const locks = folders.map((folder) => join(folder, "auth.refresh.lock"));
  if (await isMountPoint(target)) locks.push(target);
  const mark = createSentMark(join(home, "auth.refresh.sent"));
  return await withLocks(world, locks, wait, () => critical(mark));
}
