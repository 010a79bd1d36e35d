import type { Config } from "../config.ts";
import { toLoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { resolveAuthPath } from "./auth_path.ts";
import { createFileStore, type StoreWorld } from "./file_store.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { createKeyringStore, readEntry } from "./keyring_store.ts";
import { isEntryStale } from "./stale_entry.ts";
import type { OnWait } from "./store.ts";

/**
 * Moves a login that is in the place that is not chosen any more into the one that is, for commands that may write: the copy
 * is read back before the other one is removed, so that there is always one, and only one in the end. A login that is in the
 * chosen place already is left alone, and so is the other one beside it.
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
  if (store === "keyring") await moveIntoKeyring(world, home, keyring, tell);
  if (store === "auto") {
    await moveIntoKeyring(world, home, keyring, tell).catch((thrown) => {
      // Whoever loads next is told that the file is used.
      if (toLoginError(thrown).code !== "KEYRING_UNAVAILABLE") throw thrown;
    });
  }
}

async function moveIntoFile(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
  tell: OnWait,
): Promise<void> {
  // Nobody with a file waits for a keyring.
  if ((await resolveAuthPath(home)).size || !readEntry(await keyring.look(tell))) return;
  const file = createFileStore(world, home);
  await file.renewing(async () => {
    const text = await keyring.read();
    const stored = readEntry(text);
    if (!stored) return;
    let isMoved = false;
    await file.update((current) => {
      isMoved = current === undefined;
      return isMoved ? stored.document : undefined;
    }, tell);
    const copy = await file.load();
    if (!isMoved || JSON.stringify(copy?.document) !== JSON.stringify(stored.document)) return;
    // The reference takes no lock of ours: what it has put there since is another login.
    if (await keyring.read() === text) await keyring.remove();
    tell(`The login was moved from the keyring to ${printable(file.path ?? "")}.`);
  }, tell);
}

async function moveIntoKeyring(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
  tell: OnWait,
): Promise<void> {
  const { path, size } = await resolveAuthPath(home);
  if (!size) return;
  const store = createKeyringStore(world, home, keyring);
  await store.renewing(async () => {
    const isEmpty = readEntry(await keyring.read()) === undefined;
    if (!isEmpty && !await isEntryStale(home)) return;
    let isMoved = false;
    // What the store takes for the current login, with an empty or older entry, is the file's.
    await store.update((current) => {
      isMoved = current !== undefined;
      return current?.document;
    }, tell);
    if (isMoved) tell(`The login was moved from ${printable(path)} into the keyring.`);
  }, tell);
}
