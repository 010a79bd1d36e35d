import { formatJson } from "../json.ts";
import { readStatus } from "../status.ts";
import { describeStatus, statusJson } from "../status_words.ts";
import type { CommandContext } from "./command.ts";

export async function runStatus(
  { world, config, json, say, answer }: CommandContext,
): Promise<number> {
  const status = await readStatus(world, config);
  if (json) world.writeData(formatJson(statusJson(status)));
  else {
    for (const line of describeStatus(status)) answer(line);
    for (const line of status.notes) say(line);
  }
  return status.loggedIn ? 0 : 1;
}
