import { LoginError } from "../errors.ts";
import { readLicences } from "../licence_texts.ts";
import { missingFile } from "../missing_file.ts";
import type { ProgramContext } from "./command.ts";

export async function runLicenses({ world }: ProgramContext): Promise<number> {
  try {
    await world.answerData(await readLicences());
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") throw missingFile("licenses.txt");
    // It is long, and a pager that is left in the middle is no failure.
    if (!(thrown instanceof LoginError && thrown.reason?.includes("EPIPE"))) throw thrown;
  }
  return 0;
}
