import { LoginError } from "../errors.ts";
import type { RandomBytes } from "../oauth/pkce.ts";
import { replaceFile } from "./atomic_file.ts";
import { pendingPath } from "./pending_file.ts";
import { type Credentials, formatAuthFile } from "./auth_file.ts";
import { type AuthPath, checkOwnFile } from "./auth_path.ts";
import { identifyLogin, isSameIdentity } from "./login_identity.ts";
import { isMountPoint } from "./mounted_file.ts";
import { listProfileNames, type ProfileMarker, readMarker } from "./profile_folder.ts";
import { profilesFolder } from "./profile_paths.ts";
import { findProfileName } from "./profile_name.ts";
import { removeFile } from "./file_removal.ts";
import { readCredentials } from "./stored_file.ts";

/**
 * The name of the login in use.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function readActiveName(
  home: string,
  credentials: Credentials,
): Promise<ProfileMarker | undefined> {
  const marker = await readMarker(home);
  return marker && fittingMarker(marker, await listProfileNames(home), credentials);
}

/** A marker names nobody when another person signed in since, or when a kept login has the name by now. */
export function fittingMarker(
  marker: ProfileMarker | undefined,
  names: readonly string[],
  credentials: Credentials,
): ProfileMarker | undefined {
  if (!marker || !isSameIdentity(marker, identifyLogin(credentials))) return undefined;
  return findProfileName(names, marker.name) === undefined ? marker : undefined;
}

/**
 * A login can be exchanged only where a rename reaches it, and where no second CODEX_HOME shares it through a link.
 *
 * @throws {LoginError} SAVE_FAILED
 */
export async function requireMovable(home: string, at: AuthPath): Promise<void> {
  const reason = await findObstacle(home, at);
  if (!reason) return;
  throw new LoginError("SAVE_FAILED", "Profiles cannot be used here", {
    reason,
    hint: "use a CODEX_HOME whose auth.json is a file of its own: --codex-home DIR",
  });
}

/** Makes a file that is whole only together with its copy whole by itself, before it is moved without that copy. */
export async function settlePending(target: string, randomBytes: RandomBytes): Promise<void> {
  const pending = pendingPath(target);
  if (await checkOwnFile(pending, "SAVE_FAILED") === undefined) return;
  const credentials = await readCredentials(target);
  if (credentials) await replaceFile(target, formatAuthFile(credentials.document), randomBytes);
  await removeFile(pending);
}

/** Why the login cannot be moved, or undefined when it can. */
export async function findObstacle(
  home: string,
  { path, target }: AuthPath,
): Promise<string | undefined> {
  if (path !== target) return "auth.json is a link";
  if (await isMountPoint(target)) return "auth.json is mounted by itself";
  return await isMountPoint(profilesFolder(home)) ? "profiles is mounted by itself" : undefined;
}
