import type { Config } from "./config.ts";
import { readActiveName, requireMovable, settlePending } from "./credentials/active_profile.ts";
import { removeLeftovers } from "./credentials/atomic_file.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import type { AuthPath } from "./credentials/auth_path.ts";
import { WAIT_MS, withLockedHome } from "./credentials/locked_home.ts";
import { identifyLogin } from "./credentials/login_identity.ts";
import { openStore } from "./credentials/open_store.ts";
import { makePrivateFolder } from "./credentials/private_folder.ts";
import { exchangeLogins } from "./credentials/profile_exchange.ts";
import { listProfileNames, readProfile, writeMarker } from "./credentials/profile_folder.ts";
import { profilePath, profilesFolder } from "./credentials/profile_paths.ts";
import { findProfileName, parseProfileName } from "./credentials/profile_name.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { readCredentials } from "./credentials/stored_file.ts";
import { LoginError } from "./errors.ts";
import type { World } from "./world.ts";

type Tell = (note: string) => void;

export interface SavedProfile {
  readonly name: string;
  readonly credentials: Credentials;
}

/**
 * Names the login in use, or gives it another name. Nothing is copied: it stays where it is.
 *
 * @throws {LoginError} USAGE, NOT_SIGNED_IN, PROFILE_CONFLICT, SAVE_FAILED, …
 */
export async function saveProfile(
  world: World,
  config: Config,
  given: string,
  tell: Tell,
): Promise<SavedProfile> {
  const name = parseProfileName(given);
  const store = await openFileStore(world, config);
  if (await store.load() === undefined) throw nobody();
  return await withStillHome(world, config, store, tell, async (at) => {
    const credentials = await readCredentials(at.target);
    if (!credentials) throw nobody();
    await requireMovable(config.home, at);
    const taken = findProfileName(await listProfileNames(config.home), name);
    if (taken !== undefined) {
      throw new LoginError("PROFILE_CONFLICT", `The name "${taken}" belongs to another login`, {
        hint: "choose another name, or codex-login profile remove NAME",
      });
    }
    await makePrivateFolder(profilesFolder(config.home));
    await writeMarker(
      config.home,
      { name, ...identifyLogin(credentials) },
      world.randomBytes,
    );
    return { name, credentials };
  });
}

export interface UsedProfile extends SavedProfile {
  /** The name of the login that was in use before; null when nobody was signed in. */
  readonly former: string | null;
  /** False when it was in use already. */
  readonly isChanged: boolean;
}

/**
 * Takes a kept login into use and keeps the one that was in use under its name.
 *
 * @throws {LoginError} USAGE, PROFILE_NOT_FOUND, PROFILE_CONFLICT, SAVE_FAILED, …; nothing is changed.
 */
export async function useProfile(
  world: World,
  config: Config,
  given: string,
  tell: Tell,
): Promise<UsedProfile> {
  const name = parseProfileName(given);
  const { home } = config;
  const store = await openFileStore(world, config);
  await requireSomething(store, home, name);
  return await withStillHome(world, config, store, tell, async (at) => {
    const current = await readCredentials(at.target);
    const from = current && await readActiveName(home, current);
    if (current && from?.name === name) {
      return { name, credentials: current, former: name, isChanged: false };
    }
    await requireProfile(home, name);
    const chosen = await readProfile(home, name);
    if (!chosen) throw notFound(name);
    if (current && !from) throw unnamed();
    await requireMovable(home, at);
    await settlePending(at.target, world.randomBytes);
    await removeLeftovers(at.target);
    await exchangeLogins(world.randomBytes, home, at.target, {
      from,
      to: { name, ...identifyLogin(chosen.credentials) },
      source: profilePath(home, name),
    });
    return { name, credentials: chosen.credentials, former: from?.name ?? null, isChanged: true };
  });
}

/**
 * Runs `critical` while no process of ours renews the login, under all locks.
 *
 * @throws {LoginError} LOCK_BUSY, LOCK_UNSUPPORTED, SAVE_FAILED
 */
function withStillHome<T>(
  world: World,
  { home }: Config,
  store: CredentialStore,
  onWait: Tell,
  critical: (at: AuthPath) => Promise<T>,
): Promise<T> {
  return store.renewing(
    () => withLockedHome(world, home, { limitMs: WAIT_MS, signal: world.signal, onWait }, critical),
    onWait,
  );
}

/** @throws {LoginError} STORE_UNSUPPORTED: a login that is not a file cannot be moved like one. */
export async function openFileStore(world: World, config: Config): Promise<CredentialStore> {
  const store = await openStore(world, config);
  if (store.kind === "file") return store;
  throw new LoginError("STORE_UNSUPPORTED", "Profiles need the login in a file", {
    reason: `it is kept in the store "${config.store}"`,
  });
}

/** The name has to be exactly that, also on disks that do not care about case. @throws {LoginError} PROFILE_NOT_FOUND */
export async function requireProfile(home: string, name: string): Promise<void> {
  if (!(await listProfileNames(home)).includes(name)) throw notFound(name);
}

/** Asked before anything is locked, so that a mistyped name in an empty home makes nothing. @throws {LoginError} PROFILE_NOT_FOUND */
export async function requireSomething(
  store: CredentialStore,
  home: string,
  name: string,
): Promise<void> {
  if ((await listProfileNames(home)).includes(name)) return;
  if (await store.load() === undefined) throw notFound(name);
}

function notFound(name: string): LoginError {
  return new LoginError("PROFILE_NOT_FOUND", `There is no profile "${name}"`);
}

function nobody(): LoginError {
  return new LoginError("NOT_SIGNED_IN", "Nobody is signed in, so there is nothing to name");
}

function unnamed(): LoginError {
  return new LoginError("PROFILE_CONFLICT", "The login in use has no name under which to keep it", {
    hint: "codex-login profile save NAME",
  });
}
