import type { Action, Command, Option, ProgramContext } from "./command.ts";
import { COMMON_EXITS, EXIT_CODES } from "./exit_codes.ts";
import { COMMON_OPTIONS, VERSION_OPTION } from "./common_options.ts";

export async function runHelp({ world, words, commands }: ProgramContext): Promise<number> {
  const [name, second] = words;
  const command = commands.find((one) => one.name === name);
  const action = command?.actions?.find((one) => one.name === second);
  await world.answerData(
    `${command ? formatCommandHelp(command, action) : formatOverview(commands)}\n`,
  );
  return 0;
}

export function formatOverview(commands: readonly Command[]): string {
  return [
    "codex-login: sign in to ChatGPT/Codex from a terminal",
    "",
    "Usage: codex-login [COMMAND] [OPTIONS]",
    "",
    "Commands:",
    ...columns(commands.map(({ name, summary }): [string, string] => [name, summary])),
    "",
    "Options of every command:",
    ...optionLines([...COMMON_OPTIONS, VERSION_OPTION]),
    "",
    "Exit codes:",
    ...columns(EXIT_CODES),
    "",
    "More about a command: codex-login help COMMAND",
  ].join("\n");
}

/** About the command, or about this action of it only. */
export function formatCommandHelp(command: Command, action?: Action): string {
  const name = action ? `${command.name} ${action.name}` : command.name;
  const usage = action
    ? [["codex-login", name, ...action.words, "[OPTIONS]"].join(" ")]
    : command.usage;
  const actions = action ? [] : command.actions ?? [];
  const options = optionsOf(command, action);
  return [
    `codex-login ${name}: ${action?.help ?? command.summary}`,
    "",
    ...usage.map((line, i) => `${i === 0 ? "Usage: " : "       "}${line}`),
    "",
    ...(actions.length > 0 ? ["Actions:", ...actionLines(actions), ""] : []),
    ...(options.length > 0 ? ["Options:", ...optionLines(options), ""] : []),
    "Options of every command:",
    ...optionLines(COMMON_OPTIONS),
    "",
    "Examples:",
    ...command.examples.filter((line) => !action || line.includes(name)).map((line) => `  ${line}`),
    "",
    "Exit codes:",
    ...columns([...Object.entries(command.exits), ...COMMON_EXITS]),
  ].join("\n");
}

/** Without those of other actions, which the command's own help names. */
function optionsOf({ options }: Command, action: Action | undefined): readonly Option[] {
  if (action) return options.filter((one) => (one.action ?? action.name) === action.name);
  return options.map((one) =>
    one.action ? { ...one, help: `${one.action}: ${one.help ?? ""}` } : one
  );
}

function actionLines(actions: readonly Action[]): string[] {
  return columns(
    actions.map(({ name, words, help }): [string, string] => [[name, ...words].join(" "), help]),
  );
}

function optionLines(options: readonly Option[]): string[] {
  const rows = options.filter(({ help }) => help !== undefined);
  return columns(rows.map(({ name, short, value, help = "" }): [string, string] => {
    const value_ = value === undefined ? "" : ` ${value}`;
    return [`${short ? `-${short}, ` : "    "}--${name}${value_}`, help];
  }));
}

function columns(rows: ReadonlyArray<readonly [string, string]>): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
