import { unlink } from "node:fs/promises";
import { LoginError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { RandomBytes } from "../oauth/pkce.ts";
import { pendingPath, proveWritable, replaceFile, writeTemporary } from "./atomic_file.ts";
import { type Credentials, formatAuthFile, parseAuthFile } from "./auth_file.ts";
import { type AuthPath, checkOwnFile } from "./auth_path.ts";
import { identifyLogin, isNewLogin, isSameIdentity } from "./login_identity.ts";
import { isMountPoint } from "./mounted_file.ts";
import { exchangeLogins } from "./profile_exchange.ts";
import {
  listProfileNames,
  markerPath,
  type ProfileMarker,
  profilesFolder,
  readMarker,
} from "./profile_folder.ts";
import { findProfileName } from "./profile_name.ts";
import { readCredentials, removeFile } from "./stored_file.ts";

const RECORD_BYTES = 16_384;

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

/**
 * Fails if a login that has a name could not be kept when another one comes.
 *
 * @throws {LoginError} SAVE_FAILED, CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function proveKeeping(
  home: string,
  current: Credentials,
  randomBytes: RandomBytes,
): Promise<void> {
  if (!await readActiveName(home, current)) return;
  await proveWritable(markerPath(home), RECORD_BYTES, randomBytes);
}

/**
 * Puts a new login in the place of one that has a name, which is kept under it.
 *
 * @returns the name; undefined, with nothing done, when what is stored has none or is the same person's.
 * @throws {LoginError} SAVE_FAILED; what is stored is as it was.
 */
export async function replaceKeeping(
  home: string,
  at: AuthPath,
  { current, document }: { current: Credentials; document: JsonObject },
  randomBytes: RandomBytes,
): Promise<string | undefined> {
  const text = formatAuthFile(document);
  const next = parseAuthFile(text);
  if (!next || !isNewLogin(next, current)) return undefined;
  if (isSameIdentity(identifyLogin(next), identifyLogin(current))) return undefined;
  // A new login in hand must not be lost to a damaged name; prove() has told of it before.
  const from = await readActiveName(home, current).catch(() => undefined);
  if (!from || await findObstacle(home, at)) return undefined;
  await settlePending(at.target, randomBytes);
  const source = await writeTemporary(at.target, text, randomBytes);
  try {
    await exchangeLogins(randomBytes, home, at.target, { from, to: undefined, source });
  } catch (thrown) {
    await unlink(source).catch(() => {});
    throw thrown;
  }
  return from.name;
}

async function findObstacle(
  home: string,
  { path, target }: AuthPath,
): Promise<string | undefined> {
  if (path !== target) return "auth.json is a link";
  if (await isMountPoint(target)) return "auth.json is mounted by itself";
  return await isMountPoint(profilesFolder(home)) ? "profiles is mounted by itself" : undefined;
}
