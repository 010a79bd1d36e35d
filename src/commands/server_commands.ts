import type { AccountCommand } from "./command.ts";
import { UNWRITABLE, USAGE } from "./exit_codes.ts";

/** What other programs start and talk to. */
export const SERVER_COMMANDS: readonly AccountCommand[] = [
  {
    name: "app-server",
    summary: "serve the account API for editors: JSON-RPC on stdin and stdout",
    usage: ["codex-login app-server [--strict-reference]"],
    options: [
      {
        name: "strict-reference",
        help: "answer what is unknown or unreadable just as `codex app-server` does",
      },
      { name: "stdio" },
      { name: "listen", value: "ADDRESS" },
      {
        name: "analytics-default-enabled",
      },
    ],
    examples: ["codex-login app-server"],
    exits: { 0: "the editor closed the connection", 2: USAGE, 3: UNWRITABLE },
    isServer: true,
    load: async () => (await import("./app_server.ts")).runAppServer,
  },
  {
    name: "mcp-server",
    summary: "serve the Model Context Protocol on stdin and stdout",
    usage: ["codex-login mcp-server"],
    options: [],
    examples: ["codex-login mcp-server"],
    exits: { 0: "the client closed the connection", 2: USAGE, 3: UNWRITABLE },
    isServer: true,
    load: async () => (await import("./mcp_server.ts")).runMcpServer,
  },
];
