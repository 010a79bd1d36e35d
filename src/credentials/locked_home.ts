import { dirname, join } from "node:path";
import type { World } from "../world.ts";
import { type AuthPath, resolveAuthPath } from "./auth_path.ts";
import { type LockWait, withLocks } from "./lock.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { recoverExchange } from "./profile_exchange.ts";

/** Milliseconds to wait for another process's lock: short while nothing is at stake, long with fresh tokens in hand. */
export const WAIT_MS = 10_000;
export const WAIT_WITH_TOKENS_MS = 60_000;

/**
 * Runs `critical` under the two locks of the reference, which exclude all who write a login of this home, wherever it is
 * kept. What a process that died in the middle of an exchange of profiles
 * left is put in order first, so that nobody who writes ever sees it.
 *
 * @throws {LoginError} LOCK_BUSY, LOCK_UNSUPPORTED, SAVE_FAILED
 */
export async function withLockedHome<T>(
  world: Pick<World, "runtime" | "sleep" | "elapsed" | "randomBytes">,
  home: string,
  wait: LockWait,
  critical: (at: AuthPath) => Promise<T>,
): Promise<T> {
  const { target } = await resolveAuthPath(home);
  await makePrivateFolder(home);
  await makePrivateFolder(dirname(target));
  const locks = [join(home, "auth.lock"), `${target}.lock`];
  return await withLocks(world, locks, wait, async () => {
    await recoverExchange(world.randomBytes, home);
    return critical(await resolveAuthPath(home));
  });
}
