import { closeSync } from "node:fs";
import { tryLockFileEx } from "./bun_kernel32.ts";
import { loadLibc } from "./bun_libc.ts";
import { lockUnsupported, openLockFile } from "./lock_file.ts";
import type { FileLock } from "./runtime.ts";

/** The same as {@link Runtime.tryLock}, which loads this when something is locked. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  if (process.platform === "win32") return await tryLockFileEx(path);
  const libc = await loadLibc();
  if (!libc) throw lockUnsupported(path, "the C library could not be loaded");
  const descriptor = openLockFile(path);
  const outcome = libc.tryFlock(descriptor);
  if (outcome === "locked") return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  if (outcome === "busy") return undefined;
  throw lockUnsupported(path, `flock: error ${outcome}`);
}
