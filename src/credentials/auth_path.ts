import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LoginError, systemCode } from "../errors.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";

const MAX_LINKS = 20;

/** Where the credentials really are. */
export interface AuthPath {
  /** `auth.json` in CODEX_HOME, which may be a link. */
  readonly path: string;
  /** What it leads to: the file that is replaced. It need not exist. */
  readonly target: string;
  /** Bytes of the target; undefined when it does not exist. */
  readonly size: number | undefined;
}

/**
 * Follows `auth.json` to the file that may be replaced: a missing one, or a regular file with one name, of our own,
 * reached through links of our own. Anything else is refused, so that nobody else's file is ever written.
 *
 * @param code of the error: what the path was wanted for.
 * @throws {LoginError}
 */
export async function resolveAuthPath(
  home: string,
  code: "SAVE_FAILED" | "CREDENTIALS_UNREADABLE" = "SAVE_FAILED",
): Promise<AuthPath> {
  const refused = (path: string, reason: string): LoginError =>
    new LoginError(code, `${printable(path)} is refused`, { reason });
  const path = join(home, "auth.json");
  let target = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stat = await statOrMissing(target).catch((thrown) => {
      throw refused(target, describeSystemError(thrown));
    });
    if (!stat) return { path, target, size: undefined };
    if (!isOwn(stat)) throw refused(target, `it belongs to user ${stat.uid}`);
    if (!stat.isSymbolicLink()) {
      if (!stat.isFile()) throw refused(target, "it is not a regular file");
      if (stat.nlink > 1) throw refused(target, "it is a hard link: the file has other names");
      return { path, target, size: stat.size };
    }
    target = resolve(dirname(target), await readlink(target));
  }
  throw refused(path, "it is a chain of too many links");
}

async function statOrMissing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  }
}

function isOwn(stat: Stats): boolean {
  const uid = process.getuid?.();
  return uid === undefined || stat.uid === uid;
}
