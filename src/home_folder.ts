import { childPath } from "./child_path.ts";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import { hasFile } from "./small_file.ts";
import { describeSystemError } from "./system_error.ts";
import { environmentValue, type World } from "./world.ts";

/**
 * CODEX_HOME, absolute; it need not exist.
 *
 * @param flag what the command line says.
 * @throws {LoginError} CONFIG when nobody knows where it is.
 */
export async function resolveHome(world: World, flag: string | undefined): Promise<string> {
  try {
    const given = flag ?? environmentValue(world, "CODEX_HOME");
    if (given) return await absolute(given);
    const name = world.platform === "win32" ? "USERPROFILE" : "HOME";
    return childPath(await absolute(environmentValue(world, name) ?? await askSystem()), ".codex");
  } catch (thrown) {
    // No entry for this user, or no current folder to start from.
    throw new LoginError("CONFIG", "The home folder cannot be found", {
      reason: describeSystemError(thrown),
      hint: "set CODEX_HOME to an absolute path",
    });
  }
}

async function absolute(path: string): Promise<string> {
  if (isAbsolute(path)) return path;
  const { resolve } = await import("node:path");
  return resolve(path);
}

/** Of POSIX, and in the form that resolving would give it: then the module for that is not needed. */
function isAbsolute(path: string): boolean {
  const [first, ...names] = path.split("/");
  const isName = (name: string): boolean => !["", ".", ".."].includes(name);
  return process.platform !== "win32" && first === "" && names.length > 0 && names.every(isName);
}

async function askSystem(): Promise<string> {
  const { homedir, userInfo } = await import("node:os");
  // With an empty HOME some runtimes say nothing here, which would be the current folder.
  return homedir() || userInfo().homedir;
}

/**
 * A missing home is an empty one, but a file in its place is a mistake that would look like nobody being signed in.
 *
 * @throws {LoginError} CONFIG
 */
export async function refuseOtherThanFolder(home: string): Promise<void> {
  if (!await hasFile(home)) return;
  throw new LoginError("CONFIG", `${printable(home)} is not a folder`, {
    hint: "point CODEX_HOME, or --codex-home, at a folder",
  });
}
