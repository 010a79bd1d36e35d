import type { LoginError } from "../errors.ts";
import { readEntry, readEntryOrDamaged } from "./copies.ts";
import { createFileStore } from "./file_store.ts";
import type { Keyring } from "./keyring.ts";
import { WAIT_MS, withLockedHome } from "./locked_home.ts";
import type { CredentialPlace, StoreWorld } from "./store.ts";

/**
 * The keyring's entry, for those who end the login in it.
 *
 * @param onObstacle told why it cannot be read, unless there is no keyring here at all; it may throw that.
 */
export function createKeyringPlace(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
  onObstacle: (error: LoginError) => void | Promise<void>,
): CredentialPlace {
  const file = createFileStore(world, home);
  return {
    renewing: file.renewing,
    load: async () => readEntry(await keyring.look(onObstacle)),

    async proveRemovable(onWait): Promise<void> {
      const wait = { limitMs: WAIT_MS, signal: world.signal, onWait };
      await withLockedHome(world, home, wait, () => keyring.read());
    },

    remove(isExpected, onWait): Promise<boolean> {
      const wait = { limitMs: WAIT_MS, signal: world.signal, onWait };
      return withLockedHome(world, home, wait, async () => {
        const { credentials, obstacle } = await readEntryOrDamaged(keyring);
        if (obstacle) throw obstacle;
        if (!isExpected(credentials)) return false;
        await keyring.remove();
        return true;
      });
    },
  };
}
