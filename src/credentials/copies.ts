import { type LoginError, toLoginError } from "../errors.ts";
import { type Credentials, parseAuthFile } from "./auth_file.ts";
import type { AuthPath } from "./auth_path.ts";
import type { StoredFile } from "./file_save.ts";
import type { Keyring } from "./keyring.ts";
import { isEntryOlder } from "./older_entry.ts";
import { readOrDamaged } from "./stored_file.ts";

/** What lies in the keyring and in `auth.json`, and which of it counts. */
export interface Copies {
  readonly current: Credentials | undefined;
  readonly isFromFile: boolean;
  readonly file: StoredFile;
  /** What the entry holds, where nobody can understand it. */
  readonly damagedEntry: string | undefined;
  /** The file is the newer one; see older_entry.ts. */
  readonly isEntryOlder: boolean;
  /** Why the entry could not be read. */
  readonly obstacle: LoginError | undefined;
}

/**
 * Reads both for those who replace. A login that is still in the file, while the keyring has none or an older one, is one that
 * nobody has moved yet. Only with the locks held.
 *
 * @throws {LoginError} CREDENTIALS_UNREADABLE; CREDENTIALS_CORRUPT for a giant entry, which cannot be kept aside.
 */
export async function readCopies(
  { target }: AuthPath,
  home: string,
  keyring: Pick<Keyring, "read">,
): Promise<Copies> {
  const file = await readOrDamaged(target);
  const isOlder = file.credentials !== undefined && await isEntryOlder(home);
  const { credentials: entry, damagedEntry, obstacle } = await readEntryOrDamaged(keyring);
  const inFile = damagedEntry === undefined || isOlder ? file.credentials : undefined;
  const current = isOlder ? inFile : entry ?? inFile;
  return {
    current,
    isFromFile: current !== undefined && current === file.credentials,
    file,
    damagedEntry,
    isEntryOlder: isOlder,
    obstacle,
  };
}

/** @throws {LoginError} CREDENTIALS_CORRUPT */
export function readEntry(text: string | undefined): Credentials | undefined {
  return text === undefined ? undefined : parseAuthFile(text);
}

interface Entry extends Pick<Copies, "damagedEntry" | "obstacle"> {
  readonly credentials: Credentials | undefined;
}

export async function readEntryOrDamaged(keyring: Pick<Keyring, "read">): Promise<Entry> {
  const nothing = { credentials: undefined, damagedEntry: undefined, obstacle: undefined };
  let text: string | undefined;
  try {
    text = await keyring.read();
    return { ...nothing, credentials: readEntry(text) };
  } catch (thrown) {
    const error = toLoginError(thrown);
    if (error.code === "KEYRING_UNAVAILABLE") return { ...nothing, obstacle: error };
    if (error.code !== "CREDENTIALS_CORRUPT" || text === undefined) throw thrown;
    return { ...nothing, damagedEntry: text };
  }
}
