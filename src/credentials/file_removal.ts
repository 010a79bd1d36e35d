import { unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { LoginError, systemCode } from "../errors.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";
import { removeLeftovers, saveFailed, syncFolder } from "./atomic_file.ts";
import { followLink } from "./auth_path.ts";
import { emptyMountedFile, isMountPoint } from "./mounted_file.ts";
import { pendingPath } from "./pending_file.ts";

/** Removes the file with all that leads to it and all that lies beside it. Only with the locks held. */
export async function removeAuthFile(path: string, target: string): Promise<void> {
  await removeLeftovers(target);
  await removeFile(pendingPath(target));
  for (const name of await linksTo(path, target)) await removeFile(name);
  await syncFolder(dirname(target));
}

/** Every name on the way from `auth.json` to the file, the file itself last. */
async function linksTo(path: string, target: string): Promise<string[]> {
  const names = [path];
  for (let name = path; name !== target && names.length < 30;) {
    name = await followLink(name).catch((thrown) => {
      throw saveFailed(path, thrown);
    });
    names.push(name);
  }
  return names.reverse();
}

/** @throws {LoginError} SAVE_FAILED; a missing file is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return;
    if (await isMountPoint(path)) return await emptyMountedFile(path);
    throw new LoginError("SAVE_FAILED", `${printable(path)} cannot be removed`, {
      reason: describeSystemError(thrown),
    });
  }
}
