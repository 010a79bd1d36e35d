import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCode } from "./errors.ts";
import { describeSystemError } from "./system_error.ts";

/**
 * Reads a text file that somebody else may have put there: a FIFO is not waited for, a device or a giant is not read.
 *
 * @param refuse makes the error from what stands in the way.
 * @returns undefined when there is no such file.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  refuse: (reason: string, isTooLarge: boolean) => Error,
): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw refuse(describeSystemError(thrown), false);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw refuse("it is not a regular file", false);
    if (stat.size > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`, true);
    return await file.readFile("utf8").catch((thrown) => {
      throw refuse(describeSystemError(thrown), false);
    });
  } finally {
    await file.close();
  }
}
