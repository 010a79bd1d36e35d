import { rename, unlink } from "node:fs/promises";
import type { JsonObject } from "../json.ts";
import type { RandomBytes } from "../oauth/pkce.ts";
import { findObstacle, readActiveName, settlePending } from "./active_profile.ts";
import { makePrivate, proveWritable, syncFolder, writeTemporary } from "./atomic_file.ts";
import { type Credentials, formatAuthFile, parseAuthFile } from "./auth_file.ts";
import type { AuthPath } from "./auth_path.ts";
import { identifyLogin, isNewLogin, isSameIdentity } from "./login_identity.ts";
import { exchangeLogins } from "./profile_exchange.ts";
import { type ProfileMarker, removeMarker } from "./profile_folder.ts";
import { markerPath, profilePath, profilesFolder } from "./profile_paths.ts";

const RECORD_BYTES = 16_384;

/** A login that is in use, and the document that comes in its stead. */
export interface Succession {
  readonly current: Credentials;
  readonly document: JsonObject;
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
  succession: Succession,
  randomBytes: RandomBytes,
): Promise<string | undefined> {
  const from = await findNameToKeep(home, at, succession);
  if (!from) return undefined;
  await settlePending(at.target, randomBytes);
  const text = formatAuthFile(succession.document);
  const source = await writeTemporary(at.target, text, randomBytes);
  try {
    await exchangeLogins(randomBytes, home, at.target, { from, to: undefined, source });
  } catch (thrown) {
    await unlink(source).catch(() => {});
    throw thrown;
  }
  return from.name;
}

/**
 * Puts a login away under its name, when the new one is in the keyring already. Killed between the two steps it leaves a
 * marker that names nobody any more.
 *
 * @returns the name; undefined, with nothing done, as with replaceKeeping().
 */
export async function keepFormer(
  home: string,
  at: AuthPath,
  succession: Succession,
  randomBytes: RandomBytes,
): Promise<string | undefined> {
  const from = await findNameToKeep(home, at, succession);
  if (!from) return undefined;
  await settlePending(at.target, randomBytes);
  await makePrivate(at.target);
  await rename(at.target, profilePath(home, from.name));
  await syncFolder(profilesFolder(home));
  await removeMarker(home);
  return from.name;
}

async function findNameToKeep(
  home: string,
  at: AuthPath,
  { current, document }: Succession,
): Promise<ProfileMarker | undefined> {
  const next = parseAuthFile(formatAuthFile(document));
  if (!next || !isNewLogin(next, current)) return undefined;
  if (isSameIdentity(identifyLogin(next), identifyLogin(current))) return undefined;
  // A new login in hand must not be lost to a damaged name; prove() has told of it before.
  const from = await readActiveName(home, current).catch(() => undefined);
  return from && !await findObstacle(home, at) ? from : undefined;
}
