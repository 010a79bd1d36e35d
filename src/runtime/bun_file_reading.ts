import { systemCode } from "../errors.ts";
import type { FileReading, FoundFile } from "./file_reading.ts";

interface BunFile {
  stat(): Promise<BunStats>;
  slice(begin: number, end: number): BunFile;
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface BunStats {
  isFile(): boolean;
  isDirectory(): boolean;
  readonly uid: number;
  readonly nlink: number;
  readonly size: number;
  readonly ino: number;
  readonly mtimeMs: number;
}

declare const Bun: { file(path: string): BunFile };

/** How often a file may be replaced while it is being read. */
const TRIES = 5;
/** The most that is read of a file whose file system does not know how long it is: such a one may have no end. */
const UNKNOWN_BYTES = 4 << 20;

/**
 * By Bun's own files: `node:fs` would cost every start 5 MiB and up to 2 ms. They are read by their names, not by a descriptor, so
 * what was there is looked at before and after.
 */
export const bunFileReading: FileReading = {
  async has(path): Promise<boolean> {
    try {
      // A name that is too long throws before anybody waits.
      return !(await fileAt(path).stat()).isDirectory();
    } catch {
      return false;
    }
  },

  async find(path): Promise<FoundFile | undefined> {
    const stats = await statOrMissing(fileAt(path));
    return stats && toFound(stats);
  },

  async read(path, judge): Promise<string | undefined> {
    const file = fileAt(path);
    let before = await statOrMissing(file);
    for (let left = TRIES; before && left > 0; left--) {
      judge(toFound(before));
      const part = file.slice(0, before.size || UNKNOWN_BYTES);
      const bytes = await orMissing(part.arrayBuffer());
      const after = await statOrMissing(file);
      if (bytes && after && isSame(before, after)) return new TextDecoder().decode(bytes);
      before = after;
    }
    if (!before) return undefined;
    throw Object.assign(new Error("it is replaced again and again"), { code: "EBUSY" });
  },
};

/** Bun takes what looks like a URL for one, and a file of that name is meant here. */
function fileAt(path: string): BunFile {
  const isPlain = path.startsWith("/") || !path.includes(":") || path[1] === ":";
  return Bun.file(isPlain ? path : `./${path}`);
}

function isSame(a: BunStats, b: BunStats): boolean {
  return a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

async function statOrMissing(file: BunFile): Promise<BunStats | undefined> {
  return await orMissing(file.stat());
}

async function orMissing<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  }
}

function toFound(stats: BunStats): FoundFile {
  return {
    isRegular: stats.isFile(),
    uid: stats.uid,
    links: stats.nlink,
    bytes: stats.size,
  };
}
