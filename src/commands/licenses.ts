import { LoginError } from "../errors.ts";
import { readLicences } from "../licence_texts.ts";
import { missingFile } from "../missing_file.ts";
import type { ProgramContext } from "./command.ts";

export async function runLicenses({ world }: ProgramContext): Promise<number> {
  const text = await readLicences().catch((thrown) => {
    if (thrown instanceof LoginError || thrown.code !== "ENOENT") throw thrown;
    throw missingFile("licenses.txt");
  });
  await world.answerData(text);
  return 0;
}
