import type { Config } from "../config.ts";
import { toLoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { findObstacle } from "./active_profile.ts";
import { resolveAuthPath } from "./auth_path.ts";
import { readEntry } from "./copies.ts";
import { createFileStore } from "./file_store.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { createKeyringStore } from "./keyring_store.ts";
import { identifyLogin, isSameIdentity } from "./login_identity.ts";
import { clearEntryOlder, isEntryOlder, markEntryOlder } from "./older_entry.ts";
import type { CredentialStore, OnWait, StoreWorld } from "./store.ts";

/**
 * Moves a login that is in the place that is not chosen any more into the one that is, for commands that may write: the copy
 * is read back before the other one is removed. While there are two, a mark says which one counts, for every store. A login
 * that is in the chosen place already is left alone, and so is another account's in the other.
 *
 * @throws {LoginError} KEYRING_UNAVAILABLE with the store "keyring"; CREDENTIALS_CORRUPT, SAVE_FAILED, LOCK_BUSY, …
 */
export async function migrateStore(
  world: StoreWorld,
  { home, store }: Pick<Config, "home" | "store">,
  tell: OnWait,
): Promise<void> {
  const keyring = createKeyring(world, home);
  if (store === "file") await moveIntoFile(world, home, keyring, tell);
  if (store === "keyring" || store === "auto") {
    await moveIntoKeyring(world, { home, store }, keyring, tell);
  }
}

async function moveIntoFile(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
  tell: OnWait,
): Promise<void> {
  const file = createFileStore(world, home);
  if ((await resolveAuthPath(home)).size) {
    // Nobody with a file waits for a keyring, but for the rest of an earlier move.
    if (await isEntryOlder(home)) {
      await file.renewing(() => removeOlderEntry(file, home, keyring), tell);
    }
    return;
  }
  const found = await keyring.look(({ reason }) =>
    tell(`The keyring could not be looked into (${reason}); a login that is in it stays there.`)
  );
  if (!readEntry(found)) return;
  await file.renewing(async () => {
    const text = await keyring.read();
    const stored = readEntry(text);
    if (!stored) return;
    await markEntryOlder(home);
    let isMoved = false;
    await file.update((current) => {
      isMoved = current === undefined;
      return isMoved ? stored.document : undefined;
    }, tell);
    const copy = await file.load();
    if (!isMoved || JSON.stringify(copy?.document) !== JSON.stringify(stored.document)) return;
    const moved = `The login was moved from the keyring to ${printable(file.path ?? "")}`;
    try {
      // The reference takes no lock of ours: what it has put there since is another login.
      if (await keyring.read() === text) await keyring.remove();
    } catch (thrown) {
      const { reason } = toLoginError(thrown);
      return tell(`${moved}, but an older copy is left in the keyring (${reason}).`);
    }
    await clearEntryOlder(home);
    tell(`${moved}.`);
  }, tell);
}

/** What an interrupted move left; another account's login is not ours to remove. */
async function removeOlderEntry(
  file: CredentialStore,
  home: string,
  keyring: Keyring,
): Promise<void> {
  try {
    const entry = readEntry(await keyring.read());
    const stored = await file.load();
    if (!stored) return;
    if (entry) {
      if (!isSameIdentity(identifyLogin(entry), identifyLogin(stored))) return;
      await keyring.remove();
    }
    await clearEntryOlder(home);
  } catch {
    // It is looked for again at the next renewal.
  }
}

async function moveIntoKeyring(
  world: StoreWorld,
  { home, store }: { readonly home: string; readonly store: "keyring" | "auto" },
  keyring: Keyring,
  tell: OnWait,
): Promise<void> {
  const at = await resolveAuthPath(home);
  if (!at.size) return;
  const isDue = async (): Promise<boolean> =>
    readEntry(await keyring.read()) === undefined || await isEntryOlder(home);
  try {
    if (!await isDue()) return;
  } catch (thrown) {
    // Whoever loads next is told that the file is used.
    if (store === "auto" && toLoginError(thrown).code === "KEYRING_UNAVAILABLE") return;
    throw thrown;
  }
  const obstacle = await findObstacle(home, at);
  if (obstacle) {
    if (store === "keyring") {
      tell(`${printable(at.path)} cannot be moved into the keyring: ${obstacle}.`);
    }
    return;
  }
  const inKeyring = createKeyringStore(world, { home, store: "keyring" }, keyring);
  await inKeyring.renewing(async () => {
    if (!await isDue()) return;
    let isMoved = false;
    // What the store takes for the current login, with an empty or older entry, is the file's.
    await inKeyring.update((current) => {
      isMoved = current !== undefined;
      return current?.document;
    }, tell);
    if (isMoved) tell(`The login was moved from ${printable(at.path)} into the keyring.`);
  }, tell);
}
