import { readdir } from "node:fs/promises";
import * as v from "valibot";
import { LoginError, systemCode } from "../errors.ts";
import { parseJson } from "../json.ts";
import { printable } from "../printable.ts";
import { readSmallFile } from "../small_file.ts";
import { describeSystemError } from "../system_error.ts";
import { removeLeftovers, replaceFile } from "./atomic_file.ts";
import { type Credentials, parseAuthFile } from "./auth_file.ts";
import { checkOwnFile, checkOwnFolder } from "./auth_path.ts";
import type { LoginIdentity } from "./login_identity.ts";
import { isProfileName } from "./profile_name.ts";
import { markerPath, profilePath, profilesFolder } from "./profile_paths.ts";
import type { RandomBytes } from "../oauth/pkce.ts";
import { removeFile } from "./file_removal.ts";
import { readText } from "./stored_file.ts";

/** More than any record of ours is, in bytes: names and ids, no tokens. */
const MAX_RECORD_BYTES = 16_384;

/** What `profiles/active.json` says: the name of the login in `auth.json`, as long as it is still that person's. */
export interface ProfileMarker extends LoginIdentity {
  readonly name: string;
}

const Id = v.nullable(v.string());

export const Marker = v.object({
  name: v.pipe(v.string(), v.check(isProfileName)),
  accountId: Id,
  userId: Id,
  fingerprint: v.optional(v.string()),
});

/**
 * The names under which logins are kept, sorted; the one in use is not among them.
 *
 * @throws {LoginError} CREDENTIALS_UNREADABLE
 */
export async function listProfileNames(home: string): Promise<string[]> {
  const folder = profilesFolder(home);
  if (!await checkOwnFolder(folder, "CREDENTIALS_UNREADABLE")) return [];
  const files = await readdir(folder).catch((thrown) => {
    if (systemCode(thrown) === "ENOENT") return [];
    throw new LoginError("CREDENTIALS_UNREADABLE", `${printable(folder)} cannot be read`, {
      reason: describeSystemError(thrown),
    });
  });
  return files.flatMap((file) => {
    const name = file.endsWith(".json") ? file.slice(0, -".json".length) : "";
    return isProfileName(name) ? [name] : [];
  }).sort();
}

/** A kept login, with the text that it was read from. */
export interface StoredProfile {
  readonly text: string;
  readonly credentials: Credentials;
}

/**
 * @returns undefined when there is no such file.
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function readProfile(home: string, name: string): Promise<StoredProfile | undefined> {
  const path = profilePath(home, name);
  if (await checkOwnFile(path, "CREDENTIALS_UNREADABLE") === undefined) return undefined;
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const credentials = parseAuthFile(text);
    if (credentials) return { text, credentials };
  } catch (thrown) {
    if (thrown instanceof LoginError) throw damagedProfile(name, thrown.reason);
    throw thrown;
  }
  throw damagedProfile(name, "it is empty");
}

/** @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE */
export async function readMarker(home: string): Promise<ProfileMarker | undefined> {
  return await readRecord(markerPath(home), Marker, "codex-login profile save NAME");
}

/** @throws {LoginError} SAVE_FAILED */
export async function writeMarker(
  home: string,
  { name, accountId, userId, fingerprint }: ProfileMarker,
  randomBytes: RandomBytes,
): Promise<void> {
  await checkOwnFile(markerPath(home), "SAVE_FAILED");
  const marker = { name, accountId, userId, ...(fingerprint ? { fingerprint } : {}) };
  await removeLeftovers(markerPath(home));
  await replaceFile(markerPath(home), JSON.stringify(marker, null, 2), randomBytes);
}

export async function removeMarker(home: string): Promise<void> {
  await removeFile(markerPath(home));
}

/**
 * Reads a small record that others may have put there.
 *
 * @param hint what helps when it is damaged.
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function readRecord<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
  hint: string,
): Promise<v.InferOutput<Schema> | undefined> {
  if (await checkOwnFile(path, "CREDENTIALS_UNREADABLE") === undefined) return undefined;
  const damaged = (reason: string): LoginError =>
    new LoginError("CREDENTIALS_CORRUPT", `${printable(path)} is damaged`, { reason, hint });
  const text = await readSmallFile(
    path,
    MAX_RECORD_BYTES,
    (reason, isTooLarge) =>
      isTooLarge
        ? damaged(reason)
        : new LoginError("CREDENTIALS_UNREADABLE", `${printable(path)} cannot be read`, { reason }),
  );
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parseJson(text, { maxLength: MAX_RECORD_BYTES, maxDepth: 8 });
  } catch (thrown) {
    throw damaged((thrown as Error).message);
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw damaged(`its member "${v.getDotPath(parsed.issues[0]) ?? ""}" is missing or unusable`);
}

function damagedProfile(name: string, reason = "it cannot be understood"): LoginError {
  return new LoginError("CREDENTIALS_CORRUPT", `The profile "${name}" is damaged`, {
    reason,
    hint: `codex-login profile remove ${name}`,
  });
}
