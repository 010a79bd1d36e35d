import { readIdentity } from "./account.ts";
import type { Config } from "./config.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import { openPlaces } from "./credentials/open_store.ts";
import type { CredentialPlace } from "./credentials/store.ts";
import { LoginError } from "./errors.ts";
import { type Revocation, revokeLogin } from "./revoke_login.ts";
import { beginStory, tellStep } from "./story.ts";
import type { World } from "./world.ts";

/** Milliseconds: a person is waiting, and the login goes away here in any case. */
const REVOCATION_MS = 10_000;

export interface LogoutOutcome {
  /** "kept": while the issuer was asked, somebody signed in anew; that login is not ours to remove. */
  readonly local: "nothing stored" | "removed" | "kept";
  readonly revocation: Revocation | { readonly kind: "not asked" } | { readonly kind: "damaged" };
}

/** A place that holds something: a login, or what is left of one. */
interface Held {
  readonly store: CredentialPlace;
  readonly stored: Credentials | "damaged";
}

/**
 * Ends the login at its issuer, within a time limit, and then removes it here whatever the issuer said, also from the place
 * that the settings do not name: it would come back from there. A damaged one is removed too: there is nothing in it to revoke.
 *
 * @throws {LoginError} SAVE_FAILED, LOCK_BUSY, CREDENTIALS_UNREADABLE or KEYRING_UNAVAILABLE
 */
export async function logout(
  caller: World,
  config: Config,
  options: { localOnly: boolean; tell: (note: string) => void },
): Promise<LogoutOutcome> {
  const world = beginStory(caller);
  const places = await openPlaces(world, config, options.tell);
  const [first] = await findHeld(places);
  const nothing: LogoutOutcome = { local: "nothing stored", revocation: { kind: "not asked" } };
  if (!first) return nothing;
  // A refresh that is under way would leave tokens that are newer than the ones that are revoked.
  return await first.store.renewing(async () => {
    const held = await findHeld(places);
    return held.length === 0 ? nothing : await endAll(world, config, held, options);
  }, options.tell);
}

async function findHeld(places: readonly CredentialPlace[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const store of places) {
    const stored = await loadUnlessDamaged(store.load());
    if (stored !== undefined) held.push({ store, stored });
  }
  return held;
}

async function endAll(
  world: World,
  config: Config,
  held: readonly Held[],
  options: { localOnly: boolean; tell: (note: string) => void },
): Promise<LogoutOutcome> {
  // A token must not be revoked for a logout that cannot be done.
  for (const { store } of held) await store.proveRemovable(options.tell);
  const revocation = await revokeAll(world, config, held, options.localOnly);
  world.signal.throwIfAborted();
  let areRemoved = true;
  for (const { store, stored } of held) {
    const isExpected = (current: Credentials | undefined): boolean =>
      !isNewerLogin(stored, current);
    areRemoved = await tellStep(
      world,
      "removal",
      () => store.remove(isExpected, options.tell),
    ) && areRemoved;
  }
  return { local: areRemoved ? "removed" : "kept", revocation };
}

/** What can be said of all of them together: the worst. */
async function revokeAll(
  world: World,
  config: Config,
  held: readonly Held[],
  isLocalOnly: boolean,
): Promise<LogoutOutcome["revocation"]> {
  const logins = new Map<string, Credentials>();
  for (const { stored } of held) {
    // A copy is the same login.
    if (stored !== "damaged") logins.set(stored.tokens?.refresh_token || loginKey(stored), stored);
  }
  if (isLocalOnly && logins.size > 0) return { kind: "not asked" };
  const outcomes: LogoutOutcome["revocation"][] = await Promise.all(
    [...logins.values()].map((login) => revokeLogin(world, config, login, REVOCATION_MS)),
  );
  if (held.some(({ stored }) => stored === "damaged")) outcomes.push({ kind: "damaged" });
  for (const kind of ["failed", "damaged", "revoked"] as const) {
    const outcome = outcomes.find((one) => one.kind === kind);
    if (outcome) return outcome;
  }
  return { kind: "nothing to revoke" };
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
