import { chmod, copyFile } from "node:fs/promises";
import { constants } from "node:fs";
import { join } from "node:path";
import { LoginError, toLoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { type Credentials, parseAuthFile } from "./auth_file.ts";
import { WAIT_MS, WAIT_WITH_TOKENS_MS, withLockedHome } from "./locked_home.ts";
import { type AuthPath, resolveAuthPath } from "./auth_path.ts";
import { asidePath, createFileStore, type StoreWorld } from "./file_store.ts";
import type { Keyring } from "./keyring.ts";
import { makePrivateFolder } from "./private_folder.ts";
import type { CredentialStore, OnWait, Replaced } from "./store.ts";
import { readOrDamaged, removeAuthFile } from "./stored_file.ts";
import { clearStale, isEntryStale } from "./stale_entry.ts";

/** An entry of the person's keyring, the reference's own, under the locks of `auth.json`. A save removes that file. */
export function createKeyringStore(
  world: StoreWorld,
  home: string,
  keyring: Keyring,
): CredentialStore {
  const file = createFileStore(world, home);
  const path = join(home, "auth.json");

  /** What counts as stored when it is replaced: a login that is still in the file is one that nobody has moved yet. */
  async function readForChange({ target }: AuthPath): Promise<Current> {
    const inFile = await readOrDamaged(target);
    const text = await keyring.read();
    const inKeyring = readDamagedToo(text);
    const isFileNewer = inFile.credentials !== undefined && await isEntryStale(home);
    return {
      credentials: isFileNewer
        ? inFile.credentials
        : inKeyring.credentials ?? (inKeyring.isDamaged ? undefined : inFile.credentials),
      damagedText: inKeyring.isDamaged ? text : undefined,
      isFileDamaged: inFile.isDamaged,
    };
  }

  return {
    kind: "keyring",
    path: null,

    async prove(onWait): Promise<void> {
      await keyring.prove();
      await withLockedHome(
        world,
        home,
        { limitMs: WAIT_MS, signal: world.signal, onWait },
        async ({ target }) => void await readOrDamaged(target),
      );
      await file.proveRemovable();
    },

    async proveRemovable(): Promise<void> {
      await makePrivateFolder(home);
      await file.proveRemovable();
      await keyring.read();
    },

    renewing: file.renewing,

    async load(tell): Promise<Credentials | undefined> {
      // The same copy counts as when it is replaced.
      const newer = await isEntryStale(home) ? await file.load() : undefined;
      if (newer) return newer;
      const credentials = readEntry(await keyring.read());
      if (tell) await tellOfFile(home, credentials !== undefined, tell);
      return credentials;
    },

    update(change, onWait): Promise<Replaced> {
      const wait = { limitMs: WAIT_WITH_TOKENS_MS, onWait };
      return withLockedHome(world, home, wait, async (at) => {
        const { credentials, damagedText, isFileDamaged } = await readForChange(at);
        const document = change(credentials);
        if (!document) return { earlier: credentials, keptAside: undefined };
        const name = `corrupt-${new Date(world.now()).toISOString().replace(/[-:.]/g, "")}`;
        await keyring.write(
          JSON.stringify(document),
          damagedText === undefined ? undefined : { name, text: damagedText },
        );
        await clearStale(home);
        const keptAside = await removeFileAfterSave(at, isFileDamaged, onWait);
        return {
          earlier: credentials,
          keptAside: damagedText === undefined ? keptAside : `the keyring's entry ${name}`,
        };
      });
    },

    remove(isExpected, onWait): Promise<boolean> {
      const wait = { limitMs: WAIT_MS, signal: world.signal, onWait };
      return withLockedHome(world, home, wait, async () => {
        const { credentials } = readDamagedToo(await keyring.read());
        if (!isExpected(credentials)) return false;
        await keyring.remove();
        return true;
      });
    },
  };

  /** The login is saved: that an older copy stays is to be told, and no failure any more. */
  async function removeFileAfterSave(
    { target, size }: AuthPath,
    isDamaged: boolean,
    onWait: OnWait | undefined,
  ): Promise<string | undefined> {
    if (size === undefined) return undefined;
    try {
      const aside = isDamaged ? asidePath(target, world.now()) : undefined;
      if (aside !== undefined) {
        await copyFile(target, aside, constants.COPYFILE_EXCL);
        await chmod(aside, 0o600);
      }
      await removeAuthFile(path, target);
      return aside;
    } catch (thrown) {
      const { message, reason } = toLoginError(thrown);
      onWait?.(`The login is in the keyring, but an older one is left: ${message} (${reason}).`);
      return undefined;
    }
  }
}

interface Current {
  readonly credentials: Credentials | undefined;
  readonly damagedText: string | undefined;
  readonly isFileDamaged: boolean;
}

/** @throws {LoginError} CREDENTIALS_CORRUPT */
export function readEntry(text: string | undefined): Credentials | undefined {
  return text === undefined ? undefined : parseAuthFile(text);
}

function readDamagedToo(
  text: string | undefined,
): { credentials: Credentials | undefined; isDamaged: boolean } {
  try {
    return { credentials: readEntry(text), isDamaged: false };
  } catch (thrown) {
    if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") {
      return { credentials: undefined, isDamaged: true };
    }
    throw thrown;
  }
}

async function tellOfFile(home: string, hasEntry: boolean, tell: OnWait): Promise<void> {
  const at = await resolveAuthPath(home).catch(() => undefined);
  if (!at?.size) return;
  tell(
    hasEntry
      ? `${printable(at.path)} is ignored: the login in the keyring counts.`
      : `${
        printable(at.path)
      } is not in the keyring yet and does not count; codex-login moves it when it next writes.`,
  );
}
