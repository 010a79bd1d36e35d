import type { Config } from "../config.ts";
import { LoginError } from "../errors.ts";
import { createFileStore } from "./file_store.ts";
import type { CredentialPlace, CredentialStore, OnWait, StoreWorld } from "./store.ts";

type StoreConfig = Pick<Config, "home" | "store">;

/**
 * @throws {LoginError} STORE_UNSUPPORTED
 */
export async function openStore(
  world: StoreWorld,
  { home, store }: StoreConfig,
): Promise<CredentialStore> {
  if (typeof store === "object") {
    return (await import("./host_store.ts")).createHostStore(world, store);
  }
  switch (store) {
    case "file":
      return createFileStore(world, home);
    case "keyring":
    case "auto": {
      const { createKeyring } = await import("./keyring.ts");
      const { createKeyringStore } = await import("./keyring_store.ts");
      return createKeyringStore(world, { home, store }, createKeyring(world, home));
    }
    case "ephemeral":
      throw new LoginError(
        "STORE_UNSUPPORTED",
        'The store "ephemeral" keeps nothing once this command ends',
      );
  }
}

/**
 * Every place where a login of this home may be, for those who end it: what is left in the place that is not chosen would
 * come back. A keyring that cannot be read is a failure where it was chosen, and with "auto" where there is no file either:
 * then nobody knows whether somebody is signed in.
 *
 * @throws {LoginError} STORE_UNSUPPORTED
 */
export async function openPlaces(
  world: StoreWorld,
  { home, store }: StoreConfig,
  tell: OnWait,
): Promise<readonly CredentialPlace[]> {
  if (typeof store === "object") {
    return [(await import("./host_store.ts")).createHostStore(world, store)];
  }
  if (store === "ephemeral") await openStore(world, { home, store });
  const [{ createKeyring }, { createKeyringPlace }, { readEntry }] = await Promise.all([
    import("./keyring.ts"),
    import("./keyring_place.ts"),
    import("./copies.ts"),
  ]);
  const keyring = createKeyring(world, home);
  const file = createFileStore(world, home);
  const hasFile = (): Promise<boolean> => file.load().then((stored) => !!stored, () => true);
  const inKeyring = createKeyringPlace(world, home, keyring, async (error) => {
    if (store === "auto" && !await hasFile()) throw error;
    tell(
      `The keyring could not be looked into (${error.reason}); a login that is in it stays there.`,
    );
  });
  const strict: CredentialPlace = {
    ...inKeyring,
    load: async () => readEntry(await keyring.read()),
  };
  return [store === "keyring" ? strict : inKeyring, file];
}
