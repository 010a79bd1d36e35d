import { serveMcp } from "../mcp_server.ts";
import type { CommandContext } from "./command.ts";

/** Serves until its client goes. */
export async function runMcpServer(
  { world, config, say, startLog }: CommandContext,
): Promise<number> {
  await startLog();
  await world.runtime.protectMemory();
  if (await world.isTerminal("stdin")) {
    say(
      "This speaks the Model Context Protocol on stdin and stdout, for a program that starts it.",
    );
  }
  await serveMcp(world, config, say);
  return 0;
}
