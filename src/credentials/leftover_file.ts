import { constants } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { toLoginError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { printable } from "../printable.ts";
import type { World } from "../world.ts";
import { findObstacle } from "./active_profile.ts";
import { formatAuthFile, parseAuthFile } from "./auth_file.ts";
import type { AuthPath } from "./auth_path.ts";
import type { Copies } from "./copies.ts";
import { asidePath } from "./file_save.ts";
import { keepFormer } from "./kept_login.ts";
import { identifyLogin, isSameIdentity } from "./login_identity.ts";
import type { OnWait, Replaced } from "./store.ts";
import { removeAuthFile } from "./file_removal.ts";

/**
 * Deals with `auth.json` once the new login is in the keyring: it goes if it is what was replaced or an older copy of it, is
 * kept under its name if it has one, and stays where it may be somebody else's. That it could not be removed is told, and no
 * failure any more. Only with the locks held.
 */
export async function settleFile(
  world: Pick<World, "now" | "randomBytes">,
  home: string,
  at: AuthPath,
  copies: Copies,
  document: JsonObject,
  tell: OnWait | undefined,
): Promise<Pick<Replaced, "keptAside" | "keptProfile">> {
  const nothing = { keptAside: undefined };
  if (!at.size) return nothing;
  const { path, target } = at;
  const { credentials, isDamaged } = copies.file;
  try {
    const obstacle = await findObstacle(home, at);
    if (obstacle && credentials) {
      tell?.(`${printable(path)} stays, and is ignored: ${obstacle}.`);
      return nothing;
    }
    if (credentials && copies.isFromFile) {
      const succession = { current: credentials, document };
      const keptProfile = await keepFormer(home, at, succession, world.randomBytes);
      if (keptProfile !== undefined) return { ...nothing, keptProfile };
    } else if (credentials) {
      const saved = parseAuthFile(formatAuthFile(document));
      const mine = identifyLogin(credentials);
      // Another account's: it did not count, so nothing has replaced it.
      if (![saved, copies.current].some((one) => one && isSameIdentity(identifyLogin(one), mine))) {
        return nothing;
      }
    }
    const keptAside = isDamaged ? asidePath(target, world.now()) : undefined;
    if (keptAside !== undefined) {
      await copyFile(target, keptAside, constants.COPYFILE_EXCL);
      await chmod(keptAside, 0o600);
    }
    await removeAuthFile(path, target);
    return { keptAside };
  } catch (thrown) {
    const { message, reason } = toLoginError(thrown);
    tell?.(`The login is in the keyring, but an older one is left: ${message} (${reason}).`);
    return nothing;
  }
}
