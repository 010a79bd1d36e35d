import { type FoundFile, loadFileReading } from "./runtime/file_reading.ts";
import { describeSystemError } from "./system_error.ts";

/** Whether something other than a folder is there. */
export async function hasFile(path: string): Promise<boolean> {
  return await (await loadFileReading()).has(path);
}

/** @returns undefined when nothing is there. @throws the system's error, with its code. */
export async function findFile(path: string): Promise<FoundFile | undefined> {
  return await (await loadFileReading()).find(path);
}

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
  const { read } = await loadFileReading();
  let refusal: Error | undefined;
  const judge = ({ isRegular, bytes }: FoundFile): void => {
    if (!isRegular) refusal = refuse("it is not a regular file", false);
    else if (bytes > maxBytes) refusal = refuse(`it is larger than ${maxBytes} bytes`, true);
    if (refusal) throw refusal;
  };
  try {
    return await read(path, judge);
  } catch (thrown) {
    if (refusal) throw refusal;
    throw refuse(describeSystemError(thrown), false);
  }
}
