import type { CallToolResult } from "@modelcontextprotocol/server";
import type { Config } from "./config.ts";
import type { McpLogins } from "./mcp_logins.ts";
import { describeTask, endedResult, lastJson, pendingJson, toolResult } from "./mcp_results.ts";
import { printable } from "./printable.ts";
import { readStatus } from "./status.ts";
import { describeStatus, statusJson } from "./status_words.ts";
import type { World } from "./world.ts";

/**
 * Who is signed in, what waits, and what came of the last sign-in.
 *
 * @throws {LoginError} when what is stored cannot be read.
 */
export async function tellStatus(
  world: World,
  config: Config,
  logins: McpLogins,
): Promise<CallToolResult> {
  const status = await readStatus(world, config);
  const { loggedIn, authMode, account, accessToken, store, path, issuer, overriddenBy } =
    statusJson(status);
  const notes = status.notes.map((note) => printable(note));
  const pending = logins.pending();
  const last = logins.last();
  const ended = last?.result?.error && endedResult(last, last.result);
  const lines = [
    ...describeStatus(status),
    ...notes,
    ...(pending ? ["A sign-in waits for the person:", ...describeTask(pending)] : []),
    ...(ended && !pending ? [`The last sign-in failed: ${wordsOf(ended)}`] : []),
  ];
  return toolResult(lines, {
    loggedIn,
    authMode,
    account,
    accessToken,
    store,
    path,
    issuer,
    overriddenBy,
    pending: pending ? pendingJson(pending) : null,
    lastSignIn: last ? lastJson(last) : null,
    notes,
  });
}

function wordsOf({ content }: CallToolResult): string {
  return content.map((part) => part.type === "text" ? part.text : "").join("\n");
}
