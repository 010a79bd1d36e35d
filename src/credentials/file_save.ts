import { unlink } from "node:fs/promises";
import type { JsonObject } from "../json.ts";
import type { World } from "../world.ts";
import { removeLeftovers, replaceFile } from "./atomic_file.ts";
import { pendingPath } from "./pending_file.ts";
import { type Credentials, formatAuthFile } from "./auth_file.ts";
import type { AuthPath } from "./auth_path.ts";
import { replaceKeeping } from "./kept_login.ts";
import { isMountPoint, overwriteMountedFile } from "./mounted_file.ts";
import type { Replaced } from "./store.ts";

/** What `auth.json` holds before a save. */
export interface StoredFile {
  readonly credentials: Credentials | undefined;
  /** It holds something, and nobody can read it. */
  readonly isDamaged: boolean;
}

/**
 * Writes a document into `auth.json`, and keeps what must not be lost by it: a damaged file, and a login that has a name. Only
 * with the locks held.
 *
 * @throws {LoginError} SAVE_FAILED; what is stored is as it was.
 */
export async function saveInFile(
  world: Pick<World, "now" | "randomBytes">,
  home: string,
  at: AuthPath,
  { credentials, isDamaged }: StoredFile,
  document: JsonObject,
): Promise<Replaced> {
  const { target } = at;
  await removeLeftovers(target);
  const keptProfile = credentials && await replaceKeeping(
    home,
    at,
    { current: credentials, document },
    world.randomBytes,
  );
  if (keptProfile) return { earlier: undefined, keptAside: undefined, keptProfile };
  const keptAside = isDamaged ? asidePath(target, world.now()) : undefined;
  const write = await isMountPoint(target) ? overwriteMountedFile : replaceFile;
  await write(target, formatAuthFile(document), world.randomBytes, keptAside);
  // The login is saved. A copy that stays is looked at only while the file is not whole.
  await unlink(pendingPath(target)).catch(() => {});
  return { earlier: credentials, keptAside };
}

/** Where a damaged file goes. */
export function asidePath(target: string, now: number): string {
  return `${target}.corrupt-${new Date(now).toISOString().replace(/[-:.]/g, "")}`;
}
