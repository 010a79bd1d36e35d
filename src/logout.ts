import { readIdentity } from "./account.ts";
import type { Config } from "./config.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import { openStore } from "./credentials/open_store.ts";
import { LoginError } from "./errors.ts";
import { type Revocation, revokeLogin } from "./revoke_login.ts";
import type { World } from "./world.ts";

/** Milliseconds: a person is waiting, and the login goes away here in any case. */
const REVOCATION_MS = 10_000;

export interface LogoutOutcome {
  /** "kept": while the issuer was asked, somebody signed in anew; that login is not ours to remove. */
  readonly local: "nothing stored" | "removed" | "kept";
  readonly revocation: Revocation | { readonly kind: "not asked" } | { readonly kind: "damaged" };
}

/**
 * Ends the login at its issuer, within a time limit, and then removes it here whatever the issuer said. A damaged file is
 * removed too: there is nothing in it to revoke.
 *
 * @throws {LoginError} SAVE_FAILED, LOCK_BUSY or CREDENTIALS_UNREADABLE
 */
export async function logout(
  world: World,
  config: Config,
  options: { localOnly: boolean; tell: (note: string) => void },
): Promise<LogoutOutcome> {
  const store = openStore(world, config);
  const stored = await loadUnlessDamaged(store.load());
  if (stored === undefined) return { local: "nothing stored", revocation: { kind: "not asked" } };
  // A token must not be revoked for a logout that cannot be done.
  await store.proveRemovable();
  const revocation: LogoutOutcome["revocation"] = stored === "damaged"
    ? { kind: "damaged" }
    : options.localOnly
    ? { kind: "not asked" }
    : await revokeLogin(world, config, stored, REVOCATION_MS);
  world.signal.throwIfAborted();
  const isRemoved = await store.remove(
    (current) => !isNewerLogin(stored, current),
    options.tell,
  );
  return { local: isRemoved ? "removed" : "kept", revocation };
}

async function loadUnlessDamaged(
  loading: Promise<Credentials | undefined>,
): Promise<Credentials | "damaged" | undefined> {
  try {
    return await loading;
  } catch (thrown) {
    if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") return "damaged";
    throw thrown;
  }
}

/** A refresh is the same login; another account, another key or a login made since is not. */
function isNewerLogin(
  seen: Credentials | "damaged",
  current: Credentials | undefined,
): boolean {
  if (current === undefined) return false;
  return seen === "damaged" || loginKey(seen) !== loginKey(current);
}

/** What tells one login from another: `login_owner_id` is new with each and kept by refreshes. */
function loginKey(
  { mode, apiKey, personalAccessToken, tokens, idTokenClaims }: Credentials,
): string {
  const isChatGpt = mode === "chatgpt";
  return JSON.stringify([
    mode,
    isChatGpt ? tokens?.login_owner_id ?? null : null,
    isChatGpt ? readIdentity(idTokenClaims) : null,
    isChatGpt ? null : apiKey ?? null,
    personalAccessToken ?? null,
  ]);
}
