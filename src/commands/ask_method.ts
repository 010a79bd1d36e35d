import { LoginError } from "../errors.ts";
import { readStatus } from "../status.ts";
import { detectSurroundings } from "../surroundings.ts";
import { systemFiles } from "../system_files.ts";
import { environmentValue } from "../world.ts";
import type { CommandContext } from "./command.ts";

/** The ways to sign in that a person can choose from. */
export type AskedMethod = "browser" | "device code" | "key";

/**
 * Asks a person who called the program without anything, and is not signed in, how to sign in.
 *
 * @returns undefined where nobody is asked: with arguments, without a terminal, or when a login is there.
 * @throws {LoginError} INTERRUPTED
 */
export async function askMethod(
  context: CommandContext,
): Promise<AskedMethod | undefined> {
  if (!await mayAsk(context)) return undefined;
  const { canOpenBrowser } = detectSurroundings(context.world, systemFiles, 0);
  const { isCancel, select } = await import("@clack/prompts");
  const chosen = await select<AskedMethod>({
    message: "Nobody is signed in here. How do you want to sign in?",
    initialValue: canOpenBrowser ? "browser" : "device code",
    options: [
      { value: "browser", label: "With the browser on this machine" },
      { value: "device code", label: "With a code, in a browser anywhere" },
      { value: "key", label: "With an API key" },
    ],
    output: process.stderr,
    signal: context.world.signal,
  });
  if (isCancel(chosen)) throw cancelled(context.world.signal);
  return chosen;
}

/**
 * Lets a person type or paste an API key, which is not shown.
 *
 * @throws {LoginError} INTERRUPTED
 */
export async function askKey({ world }: CommandContext): Promise<string> {
  const { isCancel, password } = await import("@clack/prompts");
  const key = await password({
    message: "API key (it is not shown)",
    validate: (value) => value?.trim() ? undefined : "An API key is needed.",
    output: process.stderr,
    signal: world.signal,
  });
  if (isCancel(key)) throw cancelled(world.signal);
  return key;
}

async function mayAsk({ world, config, isBare }: CommandContext): Promise<boolean> {
  if (!isBare || config.forcedLoginMethod || config.store === "ephemeral") return false;
  if (environmentValue(world, "TERM") === "dumb") return false;
  if (!await world.isTerminal("stdin") || !await world.isTerminal("stderr")) return false;
  // In the background, asking would stop the program.
  const terminal = await world.openTerminal({
    marksPastes: false,
    onBytes: () => {},
    onResume: () => {},
  });
  const isOpen = terminal?.isOpen() ?? false;
  terminal?.close();
  if (!isOpen) return false;
  // What cannot be read is there: the login itself says more about it.
  return await readStatus(world, config).then(({ authMode }) => authMode === null, () => false);
}

/** By a signal, which is told as what it was, or by a key. */
function cancelled(signal: AbortSignal): LoginError {
  if (signal.reason instanceof LoginError) return signal.reason;
  return new LoginError("INTERRUPTED", "Cancelled at the keyboard");
}
