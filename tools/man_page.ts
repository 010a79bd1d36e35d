/**
 * Writes `dist/codex-login.1`, the manual page, made from the table of commands; where and in which version it has a date, from
 * the commit. The same commit gives the same bytes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Command, Option } from "../src/commands/command.ts";
import { EXIT_CODES } from "../src/commands/exit_codes.ts";
import { COMMANDS, COMMON_OPTIONS, VERSION_OPTION } from "../src/commands/table.ts";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { VERSION } from "../src/version.ts";
import { ENVIRONMENT, FILES } from "./man_places.ts";
import { readCommit } from "./release/commit.ts";
import { list, literal, macro, text } from "./mdoc.ts";

/** In mdoc(7), which mandoc and groff both read. */
export function renderManPage(date: Date): string {
  const lines = [
    '.\\" Made from the table of commands.',
    // Not one word: groff takes today's date then.
    `.Dd ${longDate(date)}`,
    macro("Dt", "CODEX-LOGIN", "1"),
    ".Os",
    ".Sh NAME",
    ".Nm codex-login",
    ".Nd sign in to ChatGPT and Codex from a terminal, an editor or a program",
    ".Sh SYNOPSIS",
    ".Nm",
    ".Op Ar command",
    ".Op Ar option ...",
    ".Sh DESCRIPTION",
    ".Nm",
    ...text(
      "signs a person in to ChatGPT and Codex, and keeps the login where Codex CLI keeps it. Without a command it is a sign-in with the browser.",
    ),
    ...text(`This is about version ${VERSION}.`),
    ".Pp",
    ...text(
      "Data for programs goes to stdout, words for people go to stderr. Nothing is asked where there is no terminal. Nobody but the issuer is ever contacted, except by version --check.",
    ),
    ".Sh COMMANDS",
    ...COMMANDS.flatMap(commandSection),
    ".Sh OPTIONS",
    ...text("These are understood by every command, the last one where no command stands."),
    ...list([...COMMON_OPTIONS, VERSION_OPTION].flatMap(optionRow)),
    ".Sh ENVIRONMENT",
    ...text("An empty variable is as good as none."),
    ...list(ENVIRONMENT.map(([name, words]) => [macro("It", "Ev", name), text(words)])),
    ".Sh FILES",
    ...list(FILES.map(([path, words]) => [macro("It", "Pa", path), text(words)])),
    ".Sh EXIT STATUS",
    ...list(
      EXIT_CODES.map(([codes, meaning]) => [macro("It", codes), text(`${capital(meaning)}.`)]),
    ),
    ".Sh EXAMPLES",
    ...text("What each command is most used for:"),
    ...literal(COMMANDS.flatMap(({ examples }) => examples.slice(0, 1))),
    ".Sh DIAGNOSTICS",
    ...text(
      "An error is at most four short lines: what happened with a code, the cause, what to do next, and what became of the earlier login.",
    ),
    ...literal([
      "error[CODE]: what happened",
      "  cause: why",
      "  try:   the next command",
      "  note:  the earlier login is untouched",
    ]),
    ...text("The codes are these, with their exit status:"),
    ".Pp",
    ...list(
      Object.entries(ERROR_KINDS).map(([code, { exit, title }]) => [
        macro("It", code),
        text(`${title} (${exit}).`),
      ]),
      "compact",
    ),
    ".Pp",
    ...text("What helps against each stands in the README."),
    ".Pp",
    ".Nm codex-login",
    ".Cm doctor",
    ...text("says what would go wrong on this machine, and why."),
  ];
  return `${lines.join("\n")}\n`;
}

function commandSection(command: Command): string[] {
  const { name, summary, usage, actions = [], options, exits } = command;
  const shown = options.flatMap((one) => optionRow(one));
  return [
    macro("Ss", name),
    ...text(`${capital(summary)}.`),
    ...literal(usage),
    ...(actions.length > 0
      ? list(actions.map(({ name: word, words, help }) => [
        [".It Cm", word, ...words.flatMap((one) => ["Ar", one])].join(" "),
        text(`${capital(help)}.`),
      ]))
      : []),
    ...(shown.length > 0 ? list(shown) : []),
    ".Pp",
    ...text("Exit status:"),
    ".Pp",
    ...list(
      Object.entries(exits).map(([code, words]) => [macro("It", code), text(`${capital(words)}.`)]),
      "compact",
    ),
  ];
}

function optionRow(
  { name, short, value, help, action, repeatable }: Option,
): (readonly [string, readonly string[]])[] {
  if (help === undefined) return [];
  const argument = value === undefined ? [] : ["Ar", value];
  const typed = [
    ...(short ? ["Fl", short, ...argument, ","] : []),
    "Fl",
    `\\-${name}`,
    ...argument,
  ];
  const where = action ? `With ${action}: ` : "";
  const often = repeatable ? " It may be given several times." : "";
  return [[`.It ${typed.join(" ")}`, text(`${where}${where ? help : capital(help)}.${often}`)]];
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function longDate(date: Date): string {
  const month = new Intl.DateTimeFormat("en", { month: "long", timeZone: "UTC" }).format(date);
  return `${month} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
}

if (import.meta.main) {
  mkdirSync("dist", { recursive: true });
  writeFileSync("dist/codex-login.1", renderManPage(readCommit().modified));
  process.stdout.write("dist/codex-login.1: the manual page\n");
}
