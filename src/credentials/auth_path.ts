import type { Stats } from "node:fs";
import { lstat, readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LoginError, systemCode } from "../errors.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";

const MAX_LINKS = 20;

/** What a path was wanted for. */
type RefusalCode = "SAVE_FAILED" | "CREDENTIALS_UNREADABLE";

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
 * @param code of the error.
 * @throws {LoginError}
 */
export async function resolveAuthPath(
  home: string,
  code: RefusalCode = "SAVE_FAILED",
): Promise<AuthPath> {
  const path = join(home, "auth.json");
  let target = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stat = await statOwn(target, code);
    if (!stat?.isSymbolicLink()) {
      return { path, target, size: stat && requireSoleFile(target, stat, code) };
    }
    // It may have become something else meanwhile.
    target = await followLink(target).catch((thrown) => {
      throw refused(code, path, describeSystemError(thrown));
    });
  }
  throw refused(code, path, "it is a chain of too many links");
}

/**
 * The same rules for a file that no link may lead to.
 *
 * @returns its bytes; undefined when it does not exist.
 * @throws {LoginError}
 */
export async function checkOwnFile(path: string, code: RefusalCode): Promise<number | undefined> {
  const stat = await statOwn(path, code);
  return stat && requireSoleFile(path, stat, code);
}

/**
 * A folder that is ours and no link.
 *
 * @returns whether it exists.
 * @throws {LoginError}
 */
export async function checkOwnFolder(path: string, code: RefusalCode): Promise<boolean> {
  const stat = await statOwn(path, code);
  if (stat && !stat.isDirectory()) throw refused(code, path, "it is not a folder");
  return stat !== undefined;
}

function requireSoleFile(path: string, stat: Stats, code: RefusalCode): number {
  if (!stat.isFile()) throw refused(code, path, "it is not a regular file");
  if (stat.nlink > 1) throw refused(code, path, "it is a hard link: the file has other names");
  return stat.size;
}

async function statOwn(path: string, code: RefusalCode): Promise<Stats | undefined> {
  const stat = await statOrMissing(path).catch((thrown) => {
    throw refused(code, path, describeSystemError(thrown));
  });
  if (stat && !isOwn(stat)) throw refused(code, path, `it belongs to user ${stat.uid}`);
  return stat;
}

function refused(code: RefusalCode, path: string, reason: string): LoginError {
  return new LoginError(code, `${printable(path)} is refused`, { reason });
}

/** Where a link leads to, as the system sees it: from the real folder that it is in. */
export async function followLink(link: string): Promise<string> {
  const folder = await realpath(dirname(link)).catch(() => dirname(link));
  return resolve(folder, await readlink(link));
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
