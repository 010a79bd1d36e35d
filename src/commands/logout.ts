import { formatJson } from "../json.ts";
import { logout } from "../logout.ts";
import { describeLogout, logoutJson } from "../logout_words.ts";
import type { CommandContext } from "./command.ts";

const TARGET = "codex_cli::logout";

export async function runLogout(
  { world, config, options, json, say }: CommandContext,
): Promise<number> {
  await world.runtime.protectMemory();
  for (const note of config.notes) say(note);
  const outcome = await logout(world, config, {
    localOnly: options.flag("local-only"),
    tell: say,
  });
  if (outcome.local !== "nothing stored") {
    const what = outcome.local === "removed" ? "the login was removed" : "a newer login was kept";
    world.log.write("info", TARGET, what);
  }
  if (json) world.writeData(formatJson(logoutJson(outcome)));
  else for (const line of describeLogout(outcome)) say(line);
  return 0;
}
