import type { Config } from "../config.ts";
import { toLoginError } from "../errors.ts";
import { migrateStore } from "./migrate_store.ts";
import { openStore } from "./open_store.ts";
import type { CredentialStore, OnWait, StoreWorld } from "./store.ts";

/**
 * The store for a sign-in, proven able to take it. What an earlier setting left in the keyring comes to the file first, where
 * the new login replaces it as it would any other; into the keyring a save moves it by itself.
 *
 * @throws {LoginError} exit code 3
 */
export async function prepareStore(
  world: StoreWorld,
  config: Pick<Config, "home" | "store">,
  tell: OnWait,
): Promise<CredentialStore> {
  const store = await openStore(world, config);
  if (config.store === "file") {
    await migrateStore(world, config, tell).catch((thrown) => {
      world.signal.throwIfAborted();
      const { message, reason = "no reason given" } = toLoginError(thrown);
      tell(`An earlier login stays in the keyring: ${message} (${reason}).`);
    });
  }
  await store.prove("sign-in", tell);
  return store;
}
