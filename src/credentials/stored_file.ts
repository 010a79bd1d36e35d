import { constants } from "node:fs";
import { open, readlink, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LoginError, systemCode } from "../errors.ts";
import { printable } from "../printable.ts";
import { pendingPath } from "./atomic_file.ts";
import { type Credentials, MAX_AUTH_FILE_BYTES, parseAuthFile } from "./auth_file.ts";

/** The text of the file, bounded; a FIFO or device in its place is refused instead of waited for. */
async function readText(path: string): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (thrown) {
    const code = systemCode(thrown) ?? "unknown error";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, code);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unreadable(path, "it is not a regular file");
    if (stat.size > MAX_AUTH_FILE_BYTES) {
      throw new LoginError("CREDENTIALS_CORRUPT", "The stored credentials are damaged", {
        reason: "the file is larger than 1 MiB",
      });
    }
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** A file that was being written in place when the process died is made good by the copy beside it. */
export async function readCredentials(path: string): Promise<Credentials | undefined> {
  const text = await readText(path);
  try {
    const credentials = text === undefined ? undefined : parseAuthFile(text);
    if (credentials || text === undefined) return credentials;
  } catch (thrown) {
    const pending = await readPending(path);
    if (pending) return pending;
    throw thrown;
  }
  return await readPending(path);
}

async function readPending(path: string): Promise<Credentials | undefined> {
  try {
    return parseAuthFile(await readText(pendingPath(path)) ?? "");
  } catch {
    return undefined;
  }
}

/** For those who replace: a damaged file counts as none. */
export async function readOrDamaged(
  target: string,
): Promise<{ credentials: Credentials | undefined; isDamaged: boolean }> {
  try {
    return { credentials: await readCredentials(target), isDamaged: false };
  } catch (thrown) {
    if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") {
      return { credentials: undefined, isDamaged: true };
    }
    throw thrown;
  }
}

/** Every name on the way from `auth.json` to the file, the file itself last. */
export async function linksTo(path: string, target: string): Promise<string[]> {
  const names = [path];
  for (let name = path; name !== target && names.length < 30;) {
    name = resolve(dirname(name), await readlink(name));
    names.push(name);
  }
  return names.reverse();
}

/** @throws {LoginError} SAVE_FAILED; a missing file is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT") return;
    // A mount point cannot be removed: an empty file means the same.
    if (code === "EBUSY") return await emptyFile(path);
    throw new LoginError("SAVE_FAILED", `${printable(path)} cannot be removed`, {
      reason: code ?? "unknown error",
    });
  }
}

async function emptyFile(path: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    await file.truncate(0);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unreadable(path: string, reason: string): LoginError {
  return new LoginError("CREDENTIALS_UNREADABLE", `${printable(path)} cannot be read`, { reason });
}
