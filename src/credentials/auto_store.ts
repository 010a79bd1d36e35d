import { toLoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Credentials } from "./auth_file.ts";
import { createFileStore, type StoreWorld } from "./file_store.ts";
import type { Keyring } from "./keyring.ts";
import { createKeyringStore } from "./keyring_store.ts";
import { isEntryStale, markStale } from "./stale_entry.ts";
import type { CredentialStore, OnWait, Replaced } from "./store.ts";

/** The keyring, or `auth.json` where the keyring cannot be used, which is said. */
export function createAutoStore(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
): CredentialStore {
  const inKeyring = createKeyringStore(world, home, keyring);
  const inFile = createFileStore(world, home);
  let place = inKeyring;
  let told: string | undefined;

  /** What the keyring gives, or else what the file gives. */
  async function orElse<T>(
    first: Promise<T>,
    fallBack: () => Promise<T>,
    tell: OnWait | undefined,
  ): Promise<T> {
    try {
      place = inKeyring;
      return await first;
    } catch (thrown) {
      const { code, reason } = toLoginError(thrown);
      if (code !== "KEYRING_UNAVAILABLE") throw thrown;
      place = inFile;
      // Proved, then saved: for a person that is one thing.
      if (reason !== told) {
        tell?.(
          `The keyring cannot be used (${reason}); ${
            printable(inFile.path ?? "")
          } is used instead.`,
        );
      }
      if (tell) told = reason;
      return await fallBack();
    }
  }

  return {
    get kind(): CredentialStore["kind"] {
      return place.kind;
    },
    get path(): string | null {
      return place.path;
    },

    async prove(onWait): Promise<void> {
      // The keyring may still fail when the tokens are there.
      await inFile.prove(onWait);
      await orElse(inKeyring.prove(onWait), () => Promise.resolve(), onWait);
    },

    proveRemovable: () => orElse(inKeyring.proveRemovable(), inFile.proveRemovable, undefined),

    renewing: inFile.renewing,

    async load(tell): Promise<Credentials | undefined> {
      const newer = await isEntryStale(home) ? await inFile.load() : undefined;
      if (newer) {
        place = inFile;
        return newer;
      }
      const found = await orElse(inKeyring.load(), inFile.load, tell);
      if (found || place === inFile) return found;
      const moved = await inFile.load();
      if (moved) place = inFile;
      return moved;
    },

    async update(change, onWait): Promise<Replaced> {
      let seen: { readonly current: Credentials | undefined } | undefined;
      const saving = inKeyring.update((current) => {
        seen = { current };
        return change(current);
      }, onWait);
      return await orElse(saving, async () => {
        await markStale(home);
        const replaced = await inFile.update(
          (current) => change(seen ? seen.current : current),
          onWait,
        );
        return seen ? { ...replaced, earlier: seen.current } : replaced;
      }, onWait);
    },

    async remove(isExpected, onWait): Promise<boolean> {
      const removed = await orElse(
        inKeyring.remove(isExpected, onWait),
        () => Promise.resolve(false),
        onWait,
      );
      return await inFile.remove(isExpected, onWait) || removed;
    },
  };
}
