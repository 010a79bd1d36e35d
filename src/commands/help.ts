import { ERROR_KINDS } from "../error_kinds.ts";
import type { Action, Command, Option } from "./command.ts";
import { COMMANDS, COMMON_OPTIONS } from "./table.ts";

/** What each exit code means; README and tests hold the same list. */
export const EXIT_CODES: ReadonlyArray<readonly [codes: string, meaning: string]> = [
  ["0", "done (logout: also when nothing was stored, or only the revocation failed)"],
  ["1", "the sign-in failed; status: nobody is signed in; doctor: something fails"],
  ["2", "wrong usage or settings"],
  ["3", "credentials cannot be read or written"],
  ["4", "signing in (again) is required (token, refresh)"],
  ["5", "the issuer cannot be reached or did not answer in time"],
  ["6", "nobody completed the sign-in in time"],
  [String(ERROR_KINDS.INTERNAL.exit), "a bug"],
  ["129/130/143", "ended by SIGHUP, SIGINT, SIGTERM (0 when the login was already saved)"],
];

export function formatOverview(): string {
  return [
    "codex-login: sign in to ChatGPT/Codex from a terminal",
    "",
    "Usage: codex-login [COMMAND] [OPTIONS]",
    "",
    "Commands:",
    ...columns([
      ...COMMANDS.map(({ name, summary }): [string, string] => [name, summary]),
      ["help", "help for a command: codex-login help COMMAND"],
      ["version", "show the version"],
    ]),
    "",
    "Options of every command:",
    ...optionLines(COMMON_OPTIONS),
    "",
    "Exit codes:",
    ...columns(EXIT_CODES),
  ].join("\n");
}

export function formatCommandHelp(
  { name, summary, usage, actions = [], options, examples }: Command,
): string {
  return [
    `codex-login ${name}: ${summary}`,
    "",
    ...usage.map((line, i) => `${i === 0 ? "Usage: " : "       "}${line}`),
    "",
    ...(actions.length > 0 ? ["Actions:", ...actionLines(actions), ""] : []),
    ...(options.length > 0 ? ["Options:", ...optionLines(options), ""] : []),
    "Options of every command:",
    ...optionLines(COMMON_OPTIONS),
    "",
    "Examples:",
    ...examples.map((line) => `  ${line}`),
  ].join("\n");
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
