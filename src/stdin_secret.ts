import type { ErrorCode } from "./error_kinds.ts";
import { LoginError } from "./errors.ts";
import type { World } from "./world.ts";

const MAX_BYTES = 4_096;

/** A secret that a person pipes in, where neither the process list nor the shell's history sees it. */
export interface StdinSecret {
  /** For messages: "API key". */
  readonly name: string;
  /** The option that reads it. */
  readonly flag: string;
  /** The variable that people keep it in. */
  readonly variable: string;
  /** Of the error when what came is not one. */
  readonly code: ErrorCode;
  /** It was not read from stdin after all, but typed, or handed over by a program. */
  readonly isGiven?: boolean;
}

/**
 * Reads one line of UTF-8, white space around it cut, as people and shells leave it there.
 *
 * @param timeoutMs 0 for no limit.
 * @throws {LoginError} STDIN_TERMINAL, LOGIN_TIMEOUT, or the secret's own code, which never repeats what was read.
 */
export async function readStdinSecret(
  world: World,
  secret: StdinSecret,
  timeoutMs: number,
): Promise<string> {
  return parseSecret(await readInTime(world, secret, timeoutMs), secret);
}

/** @throws {LoginError} STDIN_TERMINAL */
export async function refuseTerminal(
  world: Pick<World, "isTerminal">,
  { flag, variable }: StdinSecret,
): Promise<void> {
  if (!await world.isTerminal("stdin")) return;
  throw new LoginError("STDIN_TERMINAL", `${flag} reads from stdin, and that is a terminal`, {
    hint: `printenv ${variable} | codex-login login ${flag}`,
  });
}

export function parseSecret(bytes: Uint8Array, secret: StdinSecret): string {
  const { isGiven, variable } = secret;
  if (bytes.length > MAX_BYTES) throw invalid(secret, `it is longer than ${MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    throw invalid(secret, "it is not UTF-8");
  }
  if (text === "") {
    throw invalid(secret, isGiven ? "it is empty" : `stdin was empty; is ${variable} set?`);
  }
  if (/[\r\n]/.test(text)) throw invalid(secret, "it is more than one line");
  if (/[\s\p{C}]/u.test(text)) throw invalid(secret, "it has a space or a control character in it");
  return text;
}

export function invalid(
  { name, flag, variable, code, isGiven }: StdinSecret,
  reason: string,
): LoginError {
  const article = /^[aeiou]/i.test(name) ? "an" : "a";
  const what = isGiven ? "What was given" : "What came on stdin";
  return new LoginError(code, `${what} is not ${article} ${name}`, {
    reason,
    hint: isGiven
      ? `give the ${name} once more`
      : `printenv ${variable} | codex-login login ${flag}`,
  });
}

async function readInTime(
  world: World,
  { name }: StdinSecret,
  timeoutMs: number,
): Promise<Uint8Array> {
  const done = new AbortController();
  const stop = AbortSignal.any([done.signal, world.signal]);
  const reading = world.stdin.read(MAX_BYTES, stop);
  const timeout = timeoutMs === 0 ? [] : [
    world.sleep(timeoutMs, stop).then(() => {
      world.signal.throwIfAborted();
      throw new LoginError("LOGIN_TIMEOUT", `No ${name} came on stdin in time`);
    }),
  ];
  try {
    return await Promise.race([reading, ...timeout]);
  } finally {
    for (const late of [reading, ...timeout]) late.catch(() => {});
    done.abort();
  }
}
