import { createHash } from "node:crypto";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../world.ts";
import { type LockWait, withLocks } from "./lock.ts";
import { makePrivateFolder } from "./private_folder.ts";

/** Remembers, across a process that is killed, which refresh token is on its way to the issuer. */
export interface SentMark {
  /** Whether a process sent this token and was ended before it could save the answer. */
  wasLeftFor(refreshToken: string): Promise<boolean>;
  set(refreshToken: string): Promise<void>;
  clear(): Promise<void>;
}

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

/** Best effort: it only makes a message better. */
function createSentMark(path: string): SentMark {
  return {
    wasLeftFor: async (refreshToken) =>
      await readFile(path, "utf8").catch(() => "") === fingerprint(refreshToken),
    set: (refreshToken) =>
      writeFile(path, fingerprint(refreshToken), { mode: 0o600 }).catch(() => {}),
    clear: () => unlink(path).catch(() => {}),
  };
}

/** Enough to know a token again, and nothing to find it by. */
function fingerprint(token: string): string {
  return createHash("sha256").update(token).digest("base64url").slice(0, 22);
}
