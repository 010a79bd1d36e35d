import type { Config } from "../config.ts";
import { LoginError } from "../errors.ts";
import { createAutoStore } from "./auto_store.ts";
import { createFileStore, type StoreWorld } from "./file_store.ts";
import { createKeyring } from "./keyring.ts";
import { createKeyringStore, readEntry } from "./keyring_store.ts";
import type { CredentialStore, OnWait } from "./store.ts";

type StoreConfig = Pick<Config, "home" | "store">;

/**
 * @throws {LoginError} STORE_UNSUPPORTED
 */
export function openStore(world: StoreWorld, { home, store }: StoreConfig): CredentialStore {
  switch (store) {
    case "file":
      return createFileStore(world, home);
    case "keyring":
      return createKeyringStore(world, home, createKeyring(world, home));
    case "auto":
      return createAutoStore(world, home, createKeyring(world, home));
    case "ephemeral":
      throw new LoginError(
        "STORE_UNSUPPORTED",
        'The store "ephemeral" keeps nothing once this command ends',
      );
  }
}

/**
 * Every place where a login of this home may be, for those who end it: what is left in the place that is not chosen would
 * come back. Only with the store "keyring" is a keyring that cannot be read a failure.
 *
 * @throws {LoginError} STORE_UNSUPPORTED
 */
export function openPlaces(
  world: StoreWorld,
  { home, store }: StoreConfig,
  tell: OnWait,
): readonly CredentialStore[] {
  if (store === "ephemeral") return [openStore(world, { home, store })];
  const keyring = createKeyring(world, home);
  const inKeyring = createKeyringStore(world, home, keyring);
  const strict: CredentialStore = { ...inKeyring, load: () => inKeyring.load() };
  const lenient: CredentialStore = {
    ...inKeyring,
    load: async () => readEntry(await keyring.look(tell)),
  };
  return [store === "keyring" ? strict : lenient, createFileStore(world, home)];
}
