import { toLoginError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { CredentialStore, OnWait, Replaced } from "./store.ts";

/**
 * Saves a new login over whatever is stored. It waits for a refresh that is under way: the login that it is for may be kept
 * under a name, and has to be whole when it is moved there. A refresh that takes longer than any can is stuck, and must not
 * cost the new login.
 *
 * @param document makes the new document from the earlier one, if there is one.
 * @throws {LoginError} SAVE_FAILED, LOCK_BUSY, …; what is stored is as it was.
 */
export async function saveLogin(
  store: CredentialStore,
  document: (earlier: JsonObject | undefined) => JsonObject,
  onWait: OnWait,
): Promise<Replaced> {
  let hasBegun = false;
  const save = (): Promise<Replaced> => {
    hasBegun = true;
    return store.update((current) => document(current?.document), onWait);
  };
  try {
    return await store.renewing(save, onWait, { hasTokens: true });
  } catch (thrown) {
    if (hasBegun || toLoginError(thrown).code !== "LOCK_BUSY") throw thrown;
    onWait(
      "The process that renews the stored login does not come to an end; it is not waited for.",
    );
    return await save();
  }
}
