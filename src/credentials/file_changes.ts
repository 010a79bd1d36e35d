import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";
import { proveWritable } from "./atomic_file.ts";
import { MAX_AUTH_FILE_BYTES } from "./auth_file.ts";
import { type AuthPath, resolveAuthPath } from "./auth_path.ts";
import { removeAuthFile } from "./file_removal.ts";
import { saveInFile } from "./file_save.ts";
import { proveKeeping } from "./kept_login.ts";
import type { LockWait } from "./lock.ts";
import { WAIT_MS, WAIT_WITH_TOKENS_MS, withLockedHome } from "./locked_home.ts";
import { isMountPoint, proveMountedFile } from "./mounted_file.ts";
import { withRefreshLock } from "./refresh_lock.ts";
import type { CredentialPlace, CredentialStore, Replaced, StoreWorld } from "./store.ts";
import { readOrDamaged } from "./stored_file.ts";

/** More than a login ever took, beyond what the file holds now. */
const HEADROOM_BYTES = 16_384;
const TYPICAL_BYTES = 8_192;
/** The limit of a refresh, which another process may just have begun, and ten seconds. */
const WAIT_FOR_REFRESH_MS = 30_000;

/** What takes locks or writes: more than who only reads a login has to load. */
export type FileChanges = Omit<CredentialStore & CredentialPlace, "kind" | "path" | "load">;

/** Every change of `auth.json` in CODEX_HOME, under the two locks of the reference. */
export function createFileChanges(world: StoreWorld, home: string): FileChanges {
  const locked = <T>(wait: LockWait, critical: (at: AuthPath) => Promise<T>): Promise<T> =>
    withLockedHome(world, home, wait, critical);

  return {
    async prove(purpose, onWait): Promise<void> {
      await locked({ limitMs: WAIT_MS, signal: world.signal, onWait }, async ({ target, size }) => {
        // Of a giant nothing is kept: it is no login, and is moved aside as it is.
        const kept = Math.min(size ?? 0, MAX_AUTH_FILE_BYTES);
        const bytes = Math.max(kept, TYPICAL_BYTES) + HEADROOM_BYTES;
        await proveWritable(target, bytes, world.randomBytes);
        if (await isMountPoint(target)) {
          // Who renews has the lock of the file already.
          const lock = purpose === "sign-in" ? () => world.runtime.tryLock(target) : undefined;
          await proveMountedFile(target, bytes, lock);
        }
        const { credentials } = await readOrDamaged(target);
        if (credentials && purpose === "sign-in") {
          await proveKeeping(home, credentials, world.randomBytes);
        }
      });
    },

    async proveRemovable(onWait): Promise<void> {
      await locked({ limitMs: WAIT_MS, signal: world.signal, onWait }, async ({ target }) => {
        await access(dirname(target), constants.W_OK).catch((thrown) => {
          throw new LoginError("SAVE_FAILED", `${printable(target)} cannot be removed`, {
            reason: describeSystemError(thrown),
          });
        });
      });
    },

    renewing: async (critical, onWait, { hasTokens } = { hasTokens: false }) =>
      await withRefreshLock(
        world,
        home,
        (await resolveAuthPath(home)).target,
        {
          limitMs: WAIT_FOR_REFRESH_MS,
          onWait,
          hint: "run the command again in a while: another process renews the login",
          ...(hasTokens ? {} : { signal: world.signal }),
        },
        critical,
      ),

    update(change, onWait): Promise<Replaced> {
      return locked({ limitMs: WAIT_WITH_TOKENS_MS, onWait }, async (at) => {
        const stored = await readOrDamaged(at.target);
        const document = change(stored.credentials);
        if (!document) return { earlier: stored.credentials, keptAside: undefined };
        return await saveInFile(world, home, at, stored, document);
      });
    },

    remove(isExpected, onWait): Promise<boolean> {
      return locked({ limitMs: WAIT_MS, signal: world.signal, onWait }, async ({ target }) => {
        const { credentials } = await readOrDamaged(target);
        if (!isExpected(credentials)) return false;
        await removeAuthFile(join(home, "auth.json"), target);
        return true;
      });
    },
  };
}
