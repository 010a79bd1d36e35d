import type { ParseArgsConfig } from "node:util";
import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Command, Option, OptionValues } from "./command.ts";
import { COMMANDS, COMMON_OPTIONS, findCommand, VERSION_OPTION } from "./table.ts";

/** What a command line asks for. */
export interface Invocation {
  readonly command: Command;
  readonly options: OptionValues;
  readonly words: readonly string[];
}

/**
 * Reads the arguments after the program's name. The options of all commands are known while the command is looked for, so
 * that they may stand before it.
 *
 * @throws {LoginError} USAGE
 */
export async function parseArguments(args: readonly string[]): Promise<Invocation> {
  const all = [...COMMON_OPTIONS, VERSION_OPTION, ...COMMANDS.flatMap(({ options }) => options)];
  const { values, positionals } = await parse(args, all);
  const options = toOptionValues(values);
  refuseEmptyValues(values);
  const [first = "login", second, ...rest] = positionals;
  const run = (name: string, words: readonly string[] = []): Invocation => ({
    command: requireCommand(name),
    options,
    words,
  });

  if (options.flag("version")) {
    refuseExtra(first === "version" ? positionals.slice(1) : positionals);
    return run("version");
  }
  if (first === "help") {
    const isAboutItself = second === undefined && options.flag("help");
    return run("help", isAboutItself ? ["help"] : helpWords(positionals.slice(1)));
  }
  if (first === "login" && second === "help") {
    return run("help", helpWords(rest.length > 0 ? rest : ["login"]));
  }
  // The reference knows "login status", and ignores options of login there.
  const isNested = first === "login" && second === "status";
  const command = requireCommand(isNested ? "status" : first);
  const words = isNested ? rest : positionals.slice(1);
  if (!command.actions) refuseExtra(words);
  if (options.flag("help")) {
    const action = command.actions?.find(({ name }) => name === words[0]);
    const subject = action ? [command.name, action.name] : [command.name];
    return run("help", positionals.length > 0 ? subject : []);
  }
  checkWords(words, command);
  refuseForeignOptions(
    values,
    isNested ? [...command.options, ...requireCommand("login").options] : command.options,
    command,
  );
  return { command, options, words };
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

interface Parsed {
  readonly values: Values;
  readonly positionals: readonly string[];
}

async function parse(args: readonly string[], known: readonly Option[]): Promise<Parsed> {
  const plain = parsePlain(args, known);
  if (plain) return plain;
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const { name, short, value, repeatable } of known) {
    options[name] = {
      type: value === undefined ? "boolean" : "string",
      ...(short ? { short } : {}),
      ...(repeatable ? { multiple: true } : {}),
    };
  }
  refuseKeyArgument(args);
  const { parseArgs } = await import("node:util");
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message: string };
    // The runtime's own sentence names the option; what follows the first period is advice for programmers.
    const sentence = printable(message.split(/\.\s/)[0] ?? "", 120);
    throw new LoginError(
      "USAGE",
      code?.startsWith("ERR_PARSE_ARGS") ? sentence : "The arguments cannot be read",
    );
  }
}

/**
 * Words, and options that are written out, need no parser, which costs a start-up as much as a command like `status` itself.
 *
 * @returns undefined when there is more, or something is wrong, which the parser has the words for.
 */
function parsePlain(args: readonly string[], known: readonly Option[]): Parsed | undefined {
  const values: Record<string, string | boolean | string[]> = {};
  const positionals: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-")) {
      positionals.push(arg);
      continue;
    }
    const option = known.find((one) => `--${one.name}` === arg);
    if (!option) return undefined;
    const { name, value, repeatable } = option;
    const given = value === undefined ? true : args[++i];
    if (given === undefined || (given !== true && given.startsWith("-"))) return undefined;
    const earlier = values[name];
    if (given === true || !repeatable) values[name] = given;
    else values[name] = Array.isArray(earlier) ? [...earlier, given] : [given];
  }
  return { values, positionals };
}

/** `--api-key` takes a value or none; either way it is refused, so its value is not looked at. */
function refuseKeyArgument(args: readonly string[]): void {
  if (!args.some((arg) => arg === "--api-key" || arg.startsWith("--api-key="))) return;
  throw new LoginError(
    "USAGE",
    "A key on the command line can be seen by others: --api-key is not supported",
    {
      hint: "printenv OPENAI_API_KEY | codex-login login --with-api-key",
    },
  );
}

/** A command, and maybe one of its actions. */
function helpWords([name, second, ...extra]: readonly string[]): readonly string[] {
  if (name === undefined) return [];
  const command = requireCommand(name);
  if (second === undefined) return [name];
  if (!extra.length && Object.hasOwn(command.also ?? {}, second)) return [second];
  if (!command.actions?.some((action) => action.name === second)) refuseExtra([second]);
  refuseExtra(extra);
  return [name, second];
}

function requireCommand(name: string): Command {
  const command = findCommand(name);
  if (command) return command;
  throw new LoginError("USAGE", `There is no command "${printable(name, 40)}"`);
}

function refuseExtra(words: readonly string[]): void {
  if (words.length === 0) return;
  throw new LoginError("USAGE", `"${printable(words[0] ?? "", 40)}" was not expected here`);
}

/** An action that the command has, with as many words after it as it takes, none of them empty. */
function checkWords(
  [name, ...words]: readonly string[],
  { name: command, actions }: Command,
): void {
  if (!actions) return;
  const hint = `codex-login ${command} --help`;
  const refused = (message: string): LoginError => new LoginError("USAGE", message, { hint });
  const names = actions.map((action) => action.name).join(", ");
  if (name === undefined) throw refused(`"${command}" needs one of ${names}`);
  const action = actions.find((one) => one.name === name);
  if (!action) {
    throw refused(`"${command}" has no "${printable(name, 40)}": it is one of ${names}`);
  }
  refuseExtra(words.slice(action.words.length));
  const missing = action.words.find((_, i) => !words[i]);
  if (missing !== undefined) throw refused(`"${command} ${name}" needs ${missing}`);
}

/** A variable that was not set is the commonest reason; "" must not mean "the default". */
function refuseEmptyValues(values: Values): void {
  const empty = Object.keys(values).find((name) => [values[name]].flat().includes(""));
  if (empty !== undefined) throw new LoginError("USAGE", `--${empty} needs a value`);
}

function refuseForeignOptions(values: Values, own: readonly Option[], command: Command): void {
  const allowed = new Set([...COMMON_OPTIONS, ...own].map(({ name }) => name));
  const foreign = Object.keys(values).find((name) => !allowed.has(name));
  if (foreign === undefined) return;
  throw new LoginError("USAGE", `--${foreign} does not belong to "${command.name}"`, {
    hint: `codex-login ${command.name} --help`,
  });
}

function toOptionValues(values: Values): OptionValues {
  return {
    flag: (name) => values[name] === true,
    text: (name) => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
    list: (name) => [values[name] ?? []].flat().filter((value) => typeof value === "string"),
  };
}
