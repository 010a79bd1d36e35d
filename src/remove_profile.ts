import type { Config } from "./config.ts";
import { readActiveName } from "./credentials/active_profile.ts";
import { syncFolder } from "./credentials/atomic_file.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import type { AuthPath } from "./credentials/auth_path.ts";
import { WAIT_MS, withLockedHome } from "./credentials/locked_home.ts";
import { mayShareGrant } from "./credentials/login_identity.ts";
import { listProfileNames, readProfile, type StoredProfile } from "./credentials/profile_folder.ts";
import { profilePath, profilesFolder } from "./credentials/profile_paths.ts";
import { parseProfileName } from "./credentials/profile_name.ts";
import { removeFile } from "./credentials/file_removal.ts";
import { readOrDamaged } from "./credentials/stored_file.ts";
import { LoginError } from "./errors.ts";
import { openFileStore, requireProfile, requireSomething } from "./profiles.ts";
import { type Revocation, revokeLogin } from "./revoke_login.ts";
import type { World } from "./world.ts";

/** Milliseconds: a person is waiting, and the login goes away here in any case. */
const REVOCATION_MS = 10_000;

export interface RemovedProfile {
  readonly name: string;
  /** "kept": while the issuer was asked, the file was changed by somebody; what it holds now is not ours to remove. */
  readonly local: "removed" | "kept";
  readonly revocation:
    | Revocation
    | { readonly kind: "not asked" }
    | { readonly kind: "damaged" }
    /** The same person's other login here might end with it. */
    | { readonly kind: "shared" };
}

/**
 * Ends a kept login at its issuer, within a time limit, and then removes it here whatever the issuer said. No lock of a file
 * is held while the issuer is asked; that no other command moves the login meanwhile is what the refresh lock is for.
 *
 * @throws {LoginError} USAGE, PROFILE_NOT_FOUND, PROFILE_CONFLICT, SAVE_FAILED, CREDENTIALS_UNREADABLE, …
 */
export async function removeProfile(
  world: World,
  config: Config,
  given: string,
  { localOnly, tell }: { localOnly: boolean; tell: (note: string) => void },
): Promise<RemovedProfile> {
  const name = parseProfileName(given);
  const { home } = config;
  const store = await openFileStore(world, config);
  await requireSomething(store, home, name);
  const locked = <T>(critical: (at: AuthPath) => Promise<T>): Promise<T> =>
    withLockedHome(
      world,
      home,
      { limitMs: WAIT_MS, signal: world.signal, onWait: tell },
      critical,
    );
  return await store.renewing(async () => {
    const { profile, isShared } = await locked(async ({ target }) => {
      const active = (await readOrDamaged(target)).credentials;
      await refuseActive(home, name, active);
      await requireProfile(home, name);
      const profile = await readOrNull(home, name);
      const isShared = profile !== null && await isGrantShared(home, name, profile, active);
      return { profile, isShared };
    });
    const revocation: RemovedProfile["revocation"] = profile === null
      ? { kind: "damaged" }
      : localOnly
      ? { kind: "not asked" }
      : isShared
      ? { kind: "shared" }
      : await revokeLogin(world, config, profile.credentials, REVOCATION_MS);
    world.signal.throwIfAborted();
    const isRemoved = await locked(async () => {
      if ((await readOrNull(home, name))?.text !== profile?.text) return false;
      await removeFile(profilePath(home, name));
      await syncFolder(profilesFolder(home));
      return true;
    });
    return { name, local: isRemoved ? "removed" : "kept", revocation };
  }, tell);
}

/** @throws {LoginError} PROFILE_CONFLICT */
async function refuseActive(
  home: string,
  name: string,
  active: Credentials | undefined,
): Promise<void> {
  if ((await listProfileNames(home)).includes(name)) return;
  const marker = active && await readActiveName(home, active);
  if (marker?.name !== name) return;
  throw new LoginError("PROFILE_CONFLICT", `The profile "${name}" is in use`, {
    hint: "codex-login logout, or codex-login profile use another one first",
  });
}

/** Null for a damaged one, which may be removed, as a logout removes a damaged file. */
async function readOrNull(home: string, name: string): Promise<StoredProfile | null> {
  try {
    const profile = await readProfile(home, name);
    if (profile) return profile;
    throw new LoginError("PROFILE_NOT_FOUND", `There is no profile "${name}"`);
  } catch (thrown) {
    if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") return null;
    throw thrown;
  }
}

/** Some issuers end all logins of one sign-in together: revoking this one must not end another that is still wanted. */
async function isGrantShared(
  home: string,
  name: string,
  profile: StoredProfile,
  active: Credentials | undefined,
): Promise<boolean> {
  if (active && mayShareGrant(profile.credentials, active)) return true;
  for (const other of await listProfileNames(home)) {
    if (other === name) continue;
    const login = await readProfile(home, other).catch(() => undefined);
    if (login && mayShareGrant(profile.credentials, login.credentials)) return true;
  }
  return false;
}
