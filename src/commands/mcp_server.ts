import { serveMcp } from "../mcp_server.ts";
import { createNotes } from "../server_notes.ts";
import type { CommandContext } from "./command.ts";

/** Serves until its client goes. */
export async function runMcpServer(
  { world, config, options, startLog }: CommandContext,
): Promise<number> {
  const say = options.flag("quiet") ? () => {} : createNotes(world);
  await startLog();
  await world.runtime.protectMemory();
  if (await world.isTerminal("stdin")) {
    say(
      "This speaks the Model Context Protocol on stdin and stdout, for a program that starts it.",
    );
  }
  for (const note of config.notes) say(note);
  await serveMcp(world, { ...config, notes: [] }, say);
  return 0;
}
