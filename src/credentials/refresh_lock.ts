import { join } from "node:path";
import type { World } from "../world.ts";
import { type LockWait, withLocks } from "./lock.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { createSentMark, type SentMark } from "./sent_mark.ts";

/**
 * Runs `critical` as the only one of our processes that may renew, or move away, the login of these folders. It is not the
 * lock of the file: that one is held for milliseconds, this one for a whole request.
 *
 * @param folders CODEX_HOME first, then where its `auth.json` leads to, if that is elsewhere.
 * @throws {LoginError} LOCK_BUSY, LOCK_UNSUPPORTED
 */
export async function withRefreshLock<T>(
  world: Pick<World, "runtime" | "sleep" | "elapsed">,
  folders: readonly string[],
  wait: LockWait,
  critical: (mark: SentMark) => Promise<T>,
): Promise<T> {
  for (const folder of folders) await makePrivateFolder(folder);
  const locks = [...new Set(folders)].map((folder) => join(folder, "auth.refresh.lock"));
  const mark = createSentMark(join(folders[0] ?? "", "auth.refresh.sent"));
  return await withLocks(world, locks, wait, () => critical(mark));
}
