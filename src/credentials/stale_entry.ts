import { access, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePrivateFolder } from "./private_folder.ts";

/**
 * With the store "auto" a login may go to `auth.json` because the keyring cannot be reached, while an older one is in the
 * keyring. This empty file says so until the keyring is written again; without it the older login would come back.
 */
function markPath(home: string): string {
  return join(home, "auth.keyring-is-older");
}

export async function isEntryStale(home: string): Promise<boolean> {
  return await access(markPath(home)).then(() => true, () => false);
}

/** Best effort, as the save that follows tells better what is wrong with the folder. */
export async function markStale(home: string): Promise<void> {
  await makePrivateFolder(home);
  // Only where there is nothing yet: what is there may lead elsewhere.
  await writeFile(markPath(home), "", { mode: 0o600, flag: "wx" }).catch(() => {});
}

export async function clearStale(home: string): Promise<void> {
  await unlink(markPath(home)).catch(() => {});
}
