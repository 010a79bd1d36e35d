import { mkdir } from "node:fs/promises";
import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { describeSystemError } from "../system_error.ts";

/** Makes a folder that only its owner can enter, parents included. An existing one is left as it is. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new LoginError("SAVE_FAILED", `The folder ${printable(folder)} cannot be made`, {
      reason: describeSystemError(thrown),
    });
  }
}
