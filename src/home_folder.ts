import { stat } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import { describeSystemError } from "./system_error.ts";
import { environmentValue, type World } from "./world.ts";

/**
 * CODEX_HOME, absolute; it need not exist.
 *
 * @param flag what the command line says.
 * @throws {LoginError} CONFIG when nobody knows where it is.
 */
export function resolveHome(world: World, flag: string | undefined): string {
  try {
    const given = flag ?? environmentValue(world, "CODEX_HOME");
    if (given) return resolve(given);
    const name = world.platform === "win32" ? "USERPROFILE" : "HOME";
    // With an empty HOME some runtimes say nothing here, which would be the current folder.
    return join(
      resolve(environmentValue(world, name) ?? (homedir() || userInfo().homedir)),
      ".codex",
    );
  } catch (thrown) {
    // No entry for this user, or no current folder to start from.
    throw new LoginError("CONFIG", "The home folder cannot be found", {
      reason: describeSystemError(thrown),
      hint: "set CODEX_HOME to an absolute path",
    });
  }
}

/**
 * A missing home is an empty one, but a file in its place is a mistake that would look like nobody being signed in.
 *
 * @throws {LoginError} CONFIG
 */
export async function refuseOtherThanFolder(home: string): Promise<void> {
  const found = await stat(home).catch(() => undefined);
  if (!found || found.isDirectory()) return;
  throw new LoginError("CONFIG", `${printable(home)} is not a folder`, {
    hint: "point CODEX_HOME, or --codex-home, at a folder",
  });
}
