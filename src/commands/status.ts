import { formatJson } from "../json.ts";
import { readStatus } from "../status.ts";
import { describeStatus, statusJson } from "../status_words.ts";
import type { CommandContext } from "./command.ts";

export async function runStatus(
  { world, config, json, options }: CommandContext,
): Promise<number> {
  const status = await readStatus(world, config);
  if (json) await world.answerData(`${formatJson(statusJson(status))}\n`);
  else {
    const notes = options.flag("quiet") ? [] : status.notes;
    const lines = [...describeStatus(status), ...notes];
    await world.answerWords(lines.map((line) => `${line}\n`).join(""));
  }
  return status.loggedIn ? 0 : 1;
}
