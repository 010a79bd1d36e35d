import { formatJson } from "../json.ts";
import { readStatus } from "../status.ts";
import { describeStatus, statusJson } from "../status_words.ts";
import type { CommandContext } from "./command.ts";

export async function runStatus(
  { world, config, json, options }: CommandContext,
): Promise<number> {
  const status = await readStatus(world, config);
  if (json) await world.sendData(`${formatJson(statusJson(status))}\n`);
  else {
    const notes = options.flag("quiet") ? [] : status.notes;
    const lines = [...describeStatus(status), ...notes];
    // Whoever does not want to see it loses nothing: the exit code says it too.
    await world.sendWords(lines.map((line) => `${line}\n`).join("")).catch(() => {});
  }
  return status.loggedIn ? 0 : 1;
}
