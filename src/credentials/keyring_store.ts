import type { Config } from "../config.ts";
import { type LoginError, toLoginError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { printable } from "../printable.ts";
import { findObstacle } from "./active_profile.ts";
import { type Credentials, formatAuthFile, parseAuthFile } from "./auth_file.ts";
import { type AuthPath, resolveAuthPath } from "./auth_path.ts";
import { type Copies, readCopies, readEntry } from "./copies.ts";
import { saveInFile } from "./file_save.ts";
import { createFileStore } from "./file_store.ts";
import { proveKeeping } from "./kept_login.ts";
import type { Keyring } from "./keyring.ts";
import { settleFile } from "./leftover_file.ts";
import { WAIT_MS, WAIT_WITH_TOKENS_MS, withLockedHome } from "./locked_home.ts";
import { isNewLogin } from "./login_identity.ts";
import { clearEntryOlder, isEntryOlder, markEntryOlder } from "./older_entry.ts";
import type { CredentialStore, OnWait, Replaced, StoreWorld } from "./store.ts";
import { readOrDamaged } from "./stored_file.ts";

/**
 * An entry of the person's keyring, the reference's own, under the locks of `auth.json`. With "auto" that file takes its place
 * where the keyring cannot be used, which is said.
 */
export function createKeyringStore(
  world: StoreWorld,
  { home, store }: Pick<Config, "home"> & { readonly store: "keyring" | "auto" },
  keyring: Keyring,
): CredentialStore {
  const file = createFileStore(world, home);
  const fallsBack = store === "auto";
  let kind: CredentialStore["kind"] = "keyring";
  let told: string | undefined;

  /** Proved, then saved: for a person that is one thing, so it is told once. */
  function fallBack(
    { code, reason = "no reason given" }: LoginError,
    tell: OnWait | undefined,
    hasFile: boolean,
  ): void {
    if (code !== "KEYRING_UNAVAILABLE" || !fallsBack) return;
    kind = "file";
    if (!tell || told === reason) return;
    told = reason;
    tell(
      `The keyring cannot be used (${reason})${
        hasFile
          ? `; ${printable(file.path ?? "")} is used instead.`
          : ", and there is no auth.json."
      }`,
    );
  }

  /**
   * In the keyring, or else in the file.
   *
   * @throws {LoginError} KEYRING_UNAVAILABLE or SAVE_FAILED; what is stored is as it was.
   */
  async function save(
    at: AuthPath,
    copies: Copies,
    document: JsonObject,
    onWait: OnWait | undefined,
  ): Promise<Replaced> {
    const { current, isFromFile, damagedEntry, obstacle } = copies;
    const saveBeside = (): Promise<Replaced> => saveInFile(world, home, at, copies.file, document);
    const next = parseAuthFile(formatAuthFile(document));
    const isRenewal = isFromFile && current && next && !isNewLogin(next, current);
    // A file that another home may share is renewed where it is: whoever follows the link needs the new tokens too.
    if (isRenewal && await findObstacle(home, at)) {
      kind = "file";
      return await saveBeside();
    }
    // As long as the mark is there the file counts: if we are killed here, it must not hold what the issuer ended.
    const renewed = isRenewal && copies.isEntryOlder ? await saveBeside() : undefined;
    const name = `corrupt-${new Date(world.now()).toISOString().replace(/[-:.]/g, "")}`;
    const aside = damagedEntry === undefined ? undefined : { name, text: damagedEntry };
    try {
      if (obstacle) throw obstacle;
      await keyring.write(JSON.stringify(document), aside);
    } catch (thrown) {
      fallBack(toLoginError(thrown), onWait, true);
      if (renewed) {
        kind = "file";
        return renewed;
      }
      if (kind === "keyring") throw thrown;
      await markEntryOlder(home);
      const replaced = await saveBeside();
      return isFromFile ? replaced : { ...replaced, earlier: current };
    }
    kind = "keyring";
    await clearEntryOlder(home);
    const { keptAside, keptProfile } = await settleFile(world, home, at, copies, document, onWait);
    return {
      earlier: keptProfile === undefined ? current : undefined,
      keptAside: aside ? `the keyring's entry ${name}` : keptAside,
      keptProfile,
    };
  }

  return {
    get kind(): CredentialStore["kind"] {
      return kind;
    },
    get path(): string | null {
      return kind === "file" ? file.path : null;
    },

    async prove(purpose, onWait): Promise<void> {
      kind = "keyring";
      // It may have to take the login while the tokens are there, or before the keyring does.
      if (fallsBack || await isEntryOlder(home)) await file.prove(purpose, onWait);
      const wait = { limitMs: WAIT_MS, signal: world.signal, onWait };
      await withLockedHome(world, home, wait, async ({ target }) => {
        const { credentials } = await readOrDamaged(target);
        if (credentials && purpose === "sign-in") {
          await proveKeeping(home, credentials, world.randomBytes);
        }
        await keyring.prove().catch((thrown) => {
          fallBack(toLoginError(thrown), onWait, true);
          if (kind === "keyring") throw thrown;
        });
      });
    },

    renewing: file.renewing,

    async load(tell): Promise<Credentials | undefined> {
      kind = "file";
      // The same copy counts as when it is replaced.
      const newer = await isEntryOlder(home) ? await file.load() : undefined;
      if (newer) return newer;
      kind = "keyring";
      let entry: Credentials | undefined;
      try {
        entry = readEntry(await keyring.read());
      } catch (thrown) {
        const inFile = fallsBack ? await file.load() : undefined;
        fallBack(toLoginError(thrown), tell, inFile !== undefined);
        if (kind === "keyring") throw thrown;
        return inFile;
      }
      if (tell) await tellOfFile(home, entry !== undefined, fallsBack, tell);
      if (entry || !fallsBack) return entry;
      const inFile = await file.load();
      if (inFile) kind = "file";
      return inFile;
    },

    update(change, onWait, lastSeen): Promise<Replaced> {
      const wait = { limitMs: WAIT_WITH_TOKENS_MS, onWait };
      return withLockedHome(world, home, wait, async (at) => {
        const copies = await readCopies(at, home, keyring);
        const current = copies.current ?? (copies.obstacle ? lastSeen : undefined);
        const document = change(current);
        if (!document) return { earlier: current, keptAside: undefined };
        return await save(at, copies, document, onWait);
      });
    },
  };
}

/** A login in the file that does not count; with "auto" one counts where there is no other. */
async function tellOfFile(
  home: string,
  hasEntry: boolean,
  fallsBack: boolean,
  tell: OnWait,
): Promise<void> {
  if (!hasEntry && fallsBack) return;
  const at = await resolveAuthPath(home).catch(() => undefined);
  if (!at?.size) return;
  const path = printable(at.path);
  tell(
    hasEntry
      ? `${path} is ignored: the login in the keyring counts.`
      : `${path} does not count until it is in the keyring. To move it there: codex-login token`,
  );
}
