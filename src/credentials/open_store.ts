import type { Config } from "../config.ts";
import { LoginError } from "../errors.ts";
import { createFileStore, type StoreWorld } from "./file_store.ts";
import type { CredentialStore } from "./store.ts";

/**
 * @throws {LoginError} STORE_UNSUPPORTED
 */
export function openStore(
  world: StoreWorld,
  config: Pick<Config, "home" | "store">,
): CredentialStore {
  if (config.store === "ephemeral") {
    throw new LoginError(
      "STORE_UNSUPPORTED",
      'The store "ephemeral" keeps nothing once this command ends',
    );
  }
  if (config.store === "keyring") {
    throw new LoginError(
      "STORE_UNSUPPORTED",
      'The store "keyring" is not available in this version',
    );
  }
  return createFileStore(world, config.home);
}

/** What a person should know of the store that was chosen. */
export function storeNotes(config: Pick<Config, "store">): readonly string[] {
  if (config.store !== "auto") return [];
  return ['The store "auto" uses auth.json here: this version cannot reach the keyring.'];
}
