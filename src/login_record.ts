import { constants, unlinkSync } from "node:fs";
import { lstat, mkdir, readFile, readlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNoFollow } from "./no_follow.ts";
import { runTool } from "./proc.ts";
import { environmentValue, type World } from "./world.ts";

type RecordWorld = Pick<World, "env" | "runtime">;

/** A mark that says: the login on this port is one of ours. It counts only while it is locked. */
export interface LoginRecord {
  remove(): Promise<void>;
}

/**
 * Marks a port as held by a running login of ours, in a file that only this user can make and that the kernel unlocks
 * when the process ends. Best effort: undefined when there is no safe folder.
 */
export async function writeLoginRecord(
  world: RecordWorld,
  port: number,
): Promise<LoginRecord | undefined> {
  for (const folder of recordFolders(world)) {
    const isMade = await mkdir(folder, { mode: 0o700 }).then(() => true, () => false);
    if (!isMade && !await isOwnFolder(folder)) continue;
    const path = join(folder, String(port));
    const lock = await world.runtime.tryLock(path).catch(() => undefined);
    if (!lock) continue;
    const removeAtExit = (): void => removeNow(path);
    process.on("exit", removeAtExit);
    await writeMark(path);
    return {
      async remove(): Promise<void> {
        await unlink(path).catch(() => {});
        process.off("exit", removeAtExit);
        lock.release();
      },
    };
  }
  return undefined;
}

/** The process of a running login of ours, of this user, that holds the port. */
export async function findLoginRecord(
  world: RecordWorld,
  port: number,
): Promise<string | undefined> {
  for (const folder of recordFolders(world)) {
    const path = join(folder, String(port));
    if (!await isOwnFolder(folder) || !await isFile(path)) continue;
    const lock = await world.runtime.tryLock(path).catch(() => undefined);
    if (!lock) {
      const [pid = "unknown", network] = (await readFile(path, "utf8").catch(() => "")).split("\n");
      // The folder may be shared with a container, whose ports are not ours.
      if (network === await networkNamespace()) return pid;
      continue;
    }
    // Nobody holds it: the login ended without removing it.
    await unlink(path).catch(() => {});
    lock.release();
  }
  return undefined;
}

/** Whoever asks twice to end it waits for nothing, and a process that ends waits for no promise. */
function removeNow(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Nobody is asked to tidy up: the next login on this port does.
  }
}

function recordFolders({ env }: RecordWorld): string[] {
  const runtimeFolder = environmentValue({ env }, "XDG_RUNTIME_DIR");
  const roots = runtimeFolder ? [runtimeFolder] : [];
  const shared = join(tmpdir(), "codex-login");
  // In a shared temp folder the first name may be another user's.
  return [
    ...roots.map((root) => join(root, "codex-login")),
    shared,
    `${shared}-${process.getuid?.() ?? 0}`,
  ];
}

async function isOwnFolder(folder: string): Promise<boolean> {
  const stat = await lstat(folder).catch(() => undefined);
  if (!stat?.isDirectory()) return false;
  const uid = process.getuid?.();
  return uid === undefined || (stat.uid === uid && (stat.mode & 0o022) === 0);
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Process and network, a line each. */
async function writeMark(path: string): Promise<void> {
  const mark = `${process.pid}\n${await networkNamespace()}\n`;
  const flags = constants.O_WRONLY | constants.O_TRUNC;
  const file = await openNoFollow(path, flags).catch(() => undefined);
  await file?.writeFile(mark).catch(() => {});
  await file?.close();
}

/** What tells one set of ports from another on Linux; empty where there is only one. */
async function networkNamespace(): Promise<string> {
  const link = "/proc/self/ns/net";
  return await readlink(link).catch(async () => (await runTool("readlink", [link])).trim());
}
