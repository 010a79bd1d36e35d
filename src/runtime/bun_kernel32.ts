import { LoginError } from "../errors.ts";
import type { FileLock } from "./runtime.ts";
import { lockUnsupported } from "./lock_file.ts";

/** The calls of Windows that a lock takes, as bun:ffi gives them. Pointers and handles are numbers. */
export interface Kernel32 {
  CreateFileW(
    path: number,
    access: number,
    share: number,
    security: null,
    disposition: number,
    attributes: number,
    template: null,
  ): number | null;
  LockFileEx(
    handle: number,
    flags: number,
    reserved: number,
    bytesLow: number,
    bytesHigh: number,
    overlapped: number,
  ): number;
  CloseHandle(handle: number): number;
}

const GENERIC_READ_WRITE = 0xc0000000;
const SHARE_ALL = 7;
const OPEN_ALWAYS = 4;
const ATTRIBUTE_NORMAL = 0x80;
const EXCLUSIVE_AND_IMMEDIATELY = 3;
const WHOLE_FILE = 0xffffffff;
const OVERLAPPED_BYTES = 32;

/**
 * Locks the whole file with LockFileEx, as Rust's standard library does it for the reference, and Deno: the three exclude
 * each other. The lock ends with the handle, whatever becomes of the process.
 *
 * @param pointer gives the address of bytes.
 * @returns undefined when another process holds it.
 * @throws {LoginError} SAVE_FAILED when the file cannot be opened.
 */
export function lockFileEx(
  { CreateFileW, LockFileEx, CloseHandle }: Kernel32,
  pointer: (bytes: Uint8Array) => number,
  path: string,
): FileLock | undefined {
  const name = Buffer.from(`${path}\0`, "utf16le");
  const handle = CreateFileW(
    pointer(name),
    GENERIC_READ_WRITE,
    SHARE_ALL,
    null,
    OPEN_ALWAYS,
    ATTRIBUTE_NORMAL,
    null,
  );
  // INVALID_HANDLE_VALUE is -1, which is a very large address.
  if (!handle || handle < 0 || handle > Number.MAX_SAFE_INTEGER) {
    throw new LoginError("SAVE_FAILED", `The lock file ${path} cannot be opened`);
  }
  const overlapped = new Uint8Array(OVERLAPPED_BYTES);
  const isLocked = LockFileEx(
    handle,
    EXCLUSIVE_AND_IMMEDIATELY,
    0,
    WHOLE_FILE,
    WHOLE_FILE,
    pointer(overlapped),
  );
  if (isLocked !== 0) return { release: () => void CloseHandle(handle) };
  CloseHandle(handle);
  return undefined;
}

/** @throws {LoginError} LOCK_UNSUPPORTED where the system library cannot be loaded. */
export async function tryLockFileEx(path: string): Promise<FileLock | undefined> {
  // A constant would make other runtimes' tools try to resolve Bun's own module.
  const specifier = "bun:ffi";
  try {
    const { dlopen, ptr } = await import(specifier);
    const { symbols } = dlopen("kernel32.dll", {
      CreateFileW: { args: ["ptr", "u32", "u32", "ptr", "u32", "u32", "ptr"], returns: "ptr" },
      LockFileEx: { args: ["ptr", "u32", "u32", "u32", "u32", "ptr"], returns: "i32" },
      CloseHandle: { args: ["ptr"], returns: "i32" },
    });
    return lockFileEx(symbols, ptr, path);
  } catch (thrown) {
    if (thrown instanceof LoginError) throw thrown;
    throw lockUnsupported(path, "the system library could not be loaded");
  }
}
