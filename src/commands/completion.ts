import { bashCompletion } from "./completion_bash.ts";
import { fishCompletion } from "./completion_fish.ts";
import { powershellCompletion } from "./completion_powershell.ts";
import { zshCompletion } from "./completion_zsh.ts";
import type { Command, ProgramContext } from "./command.ts";

/** By the names of the command's actions. */
export const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
};

/** What is printed needs nothing of this program while somebody types: it holds all that can be completed. */
export async function runCompletion({ world, words, commands }: ProgramContext): Promise<number> {
  await world.answerData(SHELLS[words[0] ?? ""]?.(commands) ?? "");
  return 0;
}
