import type { JsonObject } from "../json.ts";
import type { CredentialStore, OnWait, Replaced } from "./store.ts";

/**
 * Saves a new login over whatever is stored. It waits for a refresh that is under way: the login that it is for may be kept
 * under a name, and has to be whole when it is moved there.
 *
 * @param document makes the new document from the earlier one, if there is one.
 * @throws {LoginError} SAVE_FAILED, LOCK_BUSY, …; what is stored is as it was.
 */
export function saveLogin(
  store: CredentialStore,
  document: (earlier: JsonObject | undefined) => JsonObject,
  onWait: OnWait,
): Promise<Replaced> {
  return store.renewing(
    () => store.update((current) => document(current?.document), onWait),
    onWait,
    { hasTokens: true },
  );
}
