import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { systemCode } from "../errors.ts";
import type { FileReading, FoundFile } from "./file_reading.ts";

/** For Node and Deno: what was opened is what is judged, and a FIFO is not waited for. */
export const nodeFileReading: FileReading = {
  has: async (path) => await stat(path).then((stats) => !stats.isDirectory(), () => false),

  find: async (path) => await orMissing(stat(path).then(toFound)),

  async read(path, judge): Promise<string | undefined> {
    const file = await orMissing(open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
    if (!file) return undefined;
    try {
      judge(toFound(await file.stat()));
      return (await file.readFile("utf8")).replace(/^\ufeff/, "");
    } finally {
      await file.close();
    }
  },
};

async function orMissing<T>(looking: Promise<T>): Promise<T | undefined> {
  return await looking.catch((thrown) => {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  });
}

function toFound(stats: Stats): FoundFile {
  return {
    isRegular: stats.isFile(),
    uid: stats.uid,
    links: stats.nlink,
    bytes: stats.size,
  };
}
