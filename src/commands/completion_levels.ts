import type { Command, Option } from "./command.ts";
import { COMMON_OPTIONS, VERSION_OPTION } from "./common_options.ts";

/** A place in a command line, by the words before it: what can come there. */
export interface Level {
  /** The words, one blank between them; empty at the beginning. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly Option[];
}

export interface Word {
  readonly name: string;
  readonly help: string;
}

/** All places. Every shell goes through them alike: a word that leads nowhere ends it, options and their values are skipped. */
export function completionLevels(commands: readonly Command[]): Level[] {
  const levels: Level[] = [{
    path: "",
    words: commands.map(toWord),
    // Without a command it is a login.
    options: visible([...optionsOf(commands, "login"), ...COMMON_OPTIONS, VERSION_OPTION]),
  }];
  for (const command of commands) {
    if (command.name === "help") levels.push(...helpLevels(commands, "help"));
    else levels.push(...levelsOf(command, commands));
  }
  return levels;
}

/** Every option that is followed by a value, as it is typed. */
export function optionsWithValues(commands: readonly Command[]): string[] {
  const all = [...COMMON_OPTIONS, ...commands.flatMap(({ options }) => options)];
  const typed = all.filter(({ value }) => value !== undefined).flatMap(({ name, short }) =>
    short ? [`--${name}`, `-${short}`] : [`--${name}`]
  );
  return [...new Set(typed)];
}

/** Options whose values a shell can offer, each once. */
export function optionsWithKnownValues(commands: readonly Command[]): Option[] {
  const all = [...COMMON_OPTIONS, ...commands.flatMap(({ options }) => options)];
  return visible(all).filter(({ choices, takes }) => choices || takes);
}

function levelsOf(command: Command, commands: readonly Command[]): Level[] {
  const { name, actions = [], also = {} } = command;
  const others = Object.entries(also).map(([word, help]): Word => ({ name: word, help }));
  const own: Level = {
    path: name,
    words: [...actions.map(({ name: word, help }) => ({ name: word, help })), ...others],
    options: visible([
      ...command.options.filter(({ action }) => action === undefined),
      ...COMMON_OPTIONS,
    ]),
  };
  const below = actions.map((action): Level => ({
    path: `${name} ${action.name}`,
    words: [],
    options: visible([
      ...command.options.filter((one) => (one.action ?? action.name) === action.name),
      ...COMMON_OPTIONS,
    ]),
  }));
  const elsewhere = others.flatMap((word) =>
    word.name === "help" ? helpLevels(commands, `${name} help`) : [{
      path: `${name} ${word.name}`,
      words: [],
      options: visible([...optionsOf(commands, word.name), ...COMMON_OPTIONS]),
    }]
  );
  return [own, ...below, ...elsewhere];
}

/** After `help` come the commands, and after one with actions these. */
function helpLevels(commands: readonly Command[], path: string): Level[] {
  const options = visible(COMMON_OPTIONS);
  const below = commands.map(({ name, actions = [] }): Level => ({
    path: `${path} ${name}`,
    words: actions.map(({ name: word, help }) => ({ name: word, help })),
    options,
  }));
  return [{ path, words: commands.map(toWord), options }, ...below];
}

function toWord({ name, summary }: Command): Word {
  return { name, help: summary };
}

function optionsOf(commands: readonly Command[], name: string): readonly Option[] {
  return commands.find((command) => command.name === name)?.options ?? [];
}

/** Each once, without those that are only understood because the reference has them. */
function visible(options: readonly Option[]): Option[] {
  const found = new Map<string, Option>();
  for (const one of options) if (one.help !== undefined) found.set(one.name, one);
  return [...found.values()];
}
