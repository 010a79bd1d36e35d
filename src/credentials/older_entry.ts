import { access, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePrivateFolder } from "./private_folder.ts";

/**
 * A login may go to `auth.json` while an older one is in the keyring: with the store "auto" when the keyring cannot be
 * reached, and on its way from the one to the other. This empty file says so, as long as there is an `auth.json`, until the
 * keyring is written again; without it the older login would come back.
 */
function markPath(home: string): string {
  return join(home, "auth.keyring-is-older");
}

/** Whether the file counts, if there is one. */
export async function isEntryOlder(home: string): Promise<boolean> {
  return await access(markPath(home)).then(() => true, () => false);
}

/** Best effort, as the save that follows tells better what is wrong with the folder. */
export async function markEntryOlder(home: string): Promise<void> {
  await makePrivateFolder(home);
  // Only where there is nothing yet: what is there may lead elsewhere.
  await writeFile(markPath(home), "", { mode: 0o600, flag: "wx" }).catch(() => {});
}

export async function clearEntryOlder(home: string): Promise<void> {
  await unlink(markPath(home)).catch(() => {});
}
