import { ACCOUNT_COMMANDS } from "./account_commands.ts";
import type { Command } from "./command.ts";
import { LOGIN } from "./login_command.ts";
import { PROGRAM_COMMANDS } from "./program_commands.ts";
import { SERVER_COMMANDS } from "./server_commands.ts";

export { COMMON_OPTIONS, VERSION_OPTION } from "./common_options.ts";

/** Every command there is. Parsing, help, completions and the man page are made from this table and from nothing else. */
export const COMMANDS: readonly Command[] = [
  LOGIN,
  ...ACCOUNT_COMMANDS,
  ...SERVER_COMMANDS,
  ...PROGRAM_COMMANDS,
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
