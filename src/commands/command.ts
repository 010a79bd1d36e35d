import type { Config } from "../config.ts";
import type { LoginError } from "../errors.ts";
import type { TerminalStyle } from "../terminal.ts";
import type { World } from "../world.ts";

/** One option of a command, from which parsing and help are both made. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help; absent for a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  /** What can stand for the value; one that ends in "=" goes on. Shells offer it. */
  readonly choices?: readonly string[];
  /** What the value names, which shells can list. */
  readonly takes?: "file" | "folder" | "program";
  /** The only action of the command that it changes. */
  readonly action?: string;
  /** Absent for names that are only understood because the reference has them. */
  readonly help?: string;
}

/** What a command does, chosen by its first word, like `use` in `profile use NAME`. */
export interface Action {
  readonly name: string;
  /** What stands in help for the words that must follow. */
  readonly words: readonly string[];
  readonly help: string;
}

/** Options by name, as they were given. */
export interface OptionValues {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
}

/** What a command is given: everything settled, nothing parsed twice. */
export interface CommandContext {
  /** Its log is made with the first line that is written to it. */
  readonly world: World;
  readonly config: Config;
  /** Why the settings cannot be used, for a command that then goes on with defaults. */
  readonly obstacle: LoginError | undefined;
  readonly options: OptionValues;
  /** The action and what follows it; empty for a command without actions. */
  readonly words: readonly string[];
  /** The program was called without anything: then a person may be asked what is meant. */
  readonly isBare: boolean;
  /** Worked out when it is first asked for. */
  style(): Promise<TerminalStyle>;
  readonly json: boolean;
  /** Makes the log before there is a line: what is wrong with it is told first. A login without one is still a login. */
  startLog(): Promise<void>;
  /** Words for people, unless they asked for quiet. */
  say(text: string): void;
  /** What a person has asked to see: quiet silences progress and notes, not the answer. */
  answer(text: string): void;
}

/** What a command about the program is given: no settings are read for it, so it works where those are broken. */
export interface ProgramContext
  extends Pick<CommandContext, "world" | "options" | "words" | "json"> {
  /** All there are: what tells of them is one of them, and cannot import them. */
  readonly commands: readonly Command[];
}

/** What is told about a command, and what it takes. */
interface Described {
  readonly name: string;
  readonly summary: string;
  readonly usage: readonly string[];
  /** Absent for a command that takes no words. */
  readonly actions?: readonly Action[];
  /** Words that lead to other commands, because the reference has them there. */
  readonly also?: Readonly<Record<string, string>>;
  readonly options: readonly Option[];
  readonly examples: readonly string[];
  /** What its exit codes mean; those of every command are in `COMMON_EXITS`. */
  readonly exits: Readonly<Record<number, string>>;
}

export interface AccountCommand extends Described {
  readonly isAboutProgram?: false;
  /** It serves an editor, and so obeys the variables that are meant for editors' servers. */
  readonly isServer?: boolean;
  /** One run of it is one attempt, and the log tells its story: all its lines carry one id, and its requests are told. */
  readonly isAttempt?: boolean;
  /** It makes no connection, so what says how to make one is not read. */
  readonly asksNobody?: boolean;
  /** It looks at what is broken, so it runs where settings or variables forbid the others to. */
  readonly isDiagnosis?: boolean;
  /** Loaded only when it is wanted: start-up is paid at every call. Resolves with the exit code. */
  load(): Promise<(context: CommandContext) => Promise<number>>;
}

export interface ProgramCommand extends Described {
  readonly isAboutProgram: true;
  load(): Promise<(context: ProgramContext) => Promise<number>>;
}

export type Command = AccountCommand | ProgramCommand;
