import { formatJson } from "./json.ts";
import { type Invocation, parseArguments } from "./commands/arguments.ts";
import type { Command } from "./commands/command.ts";
import { errorJson } from "./error_json.ts";
import { COMMANDS } from "./commands/table.ts";
import type { Config } from "./config.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { environmentSecrets } from "./environment_secrets.ts";
import { createLazyLog } from "./lazy_log.ts";
import { printable } from "./printable.ts";
import { formatError, resolveStyle, type TerminalStyle } from "./terminal.ts";
import { type Log, SILENT_LOG, type World } from "./world.ts";

/**
 * Runs one command line: the only place where an error becomes words, JSON and an exit code.
 *
 * @param args without the program's name.
 * @returns the exit code; it never rejects.
 */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  // By name, because an error in the arguments comes before they are understood.
  const json = args.includes("--json");
  const style = (): Promise<TerminalStyle> =>
    resolveStyle(world, { plain: args.includes("--plain"), noColor: args.includes("--no-color") });
  let command: Command | undefined;
  try {
    const invocation = await parseArguments(args);
    command = invocation.command;
    if (command.isAboutProgram || !command.isDiagnosis) refuseHazard(world);
    return await runCommand(invocation, { world, json, style, isBare: args.length === 0 });
  } catch (thrown) {
    const error = toLoginError(thrown);
    if (json) {
      const isLogin = command ? command.name === "login" : !args.some((word) => OTHERS.has(word));
      const event = isLogin ? { event: "failed" } : {};
      try {
        world.writeData(formatJson({ ...event, error: errorJson(error) }));
      } catch {
        // What cannot be written there is told below.
      }
    }
    world.writeWords(formatError(error, await style()));
    return error.exitCode;
  }
}

/** What such a variable loaded has run by now; going on would hand it a login as well. */
function refuseHazard({ runtime, env }: World): void {
  const hazard = runtime.hazard(env);
  if (!hazard) return;
  throw new LoginError("CONFIG", `${hazard.variable} is set, and a login would not be safe`, {
    reason: hazard.effect,
    hint: `unset ${hazard.variable}`,
  });
}

/** Words that say, even in a command line that is not understood, that it is not about signing in. */
const OTHERS: ReadonlySet<string> = new Set(
  COMMANDS.map(({ name }) => name).filter((name) => name !== "login"),
);

interface Surroundings {
  readonly isBare: boolean;
  readonly world: World;
  readonly json: boolean;
  style(): Promise<TerminalStyle>;
}

async function runCommand(
  { command, options, words }: Invocation,
  { world: bare, json, style, isBare }: Surroundings,
): Promise<number> {
  const say = (text: string): void => {
    if (!options.flag("quiet")) bare.writeWords(text);
  };
  if (command.isAboutProgram) {
    const run = await command.load();
    return await run({ world: bare, options, words, json, commands: COMMANDS });
  }
  const flags = {
    codexHome: options.text("codex-home"),
    issuer: options.text("issuer") ?? options.text("experimental_issuer"),
    clientId: options.text("client-id") ?? options.text("experimental_client-id"),
    overrides: options.list("config"),
    isServer: command.isServer ?? false,
  };
  const { config, obstacle } = command.isDiagnosis
    ? await (await import("./config_or_defaults.ts")).resolveConfigOrDefaults(bare, flags)
    : {
      config: await (await import("./config.ts")).resolveConfig(bare, flags),
      obstacle: undefined,
    };
  const run = await command.load();
  const world = command.asksNobody
    ? bare
    : await (await import("./home_environment.ts")).withHomeEnvironment(bare, config.home);
  const log = createLazyLog(() => openLogOrGoOn(world, config, options.flag("verbose")));
  for (const secret of environmentSecrets(world.env)) log.hide(secret);
  const logged = { ...world, log };
  const own = command.isAttempt ? (await import("./story.ts")).beginStory(logged) : logged;
  try {
    return await run({
      world: own,
      config,
      obstacle,
      options,
      words,
      style,
      json,
      isBare,
      say,
      answer: world.writeWords,
      startLog: log.open,
    });
  } catch (thrown) {
    // What ended before there was anything to tell makes no log.
    if (log.isOpened()) {
      const error = toLoginError(thrown);
      const { describeFailure } = await import("./story.ts");
      own.log.write(
        "error",
        `codex_cli::${command.name}`,
        "command failed",
        describeFailure(error),
      );
      if (command.name === "login") addReference(error, own.log);
      throw error;
    }
    throw thrown;
  } finally {
    await log.flush();
  }
}

/** So that what a page or a terminal shows and what the log tells can be brought together; who ended it by hand knows why. */
function addReference(error: LoginError, { attempt }: Log): void {
  if (attempt === undefined || error.exitCode > 128) return;
  const reference = `reference ${attempt}`;
  error.note = error.note === undefined ? reference : `${error.note}; ${reference}`;
}

async function openLogOrGoOn(world: World, config: Config, isVerbose: boolean): Promise<Log> {
  const echo = isVerbose ? (line: string): void => world.writeWords(line) : undefined;
  try {
    const { openLog } = await import("./log.ts");
    return await openLog({ folder: config.logDir, echo, tryLock: world.runtime.tryLock });
  } catch (thrown) {
    const { message, reason } = toLoginError(thrown);
    world.writeWords(printable(`Warning: ${message} (${reason}).`));
    return SILENT_LOG;
  }
}
