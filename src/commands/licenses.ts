import { readLicences } from "../licence_texts.ts";
import type { ProgramContext } from "./command.ts";

export async function runLicenses({ world }: ProgramContext): Promise<number> {
  await world.sendData(await readLicences());
  return 0;
}
