import type { Config } from "./config.ts";
import { apiKeyDocument } from "./credentials/auth_file.ts";
import { openStore } from "./credentials/open_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import type { World } from "./world.ts";

const MAX_KEY_BYTES = 4_096;

export interface SavedKey {
  readonly store: CredentialStore["kind"];
  /** Of the file; null in the keyring. */
  readonly path: string | null;
  readonly apiKey: string;
}

/**
 * Reads an API key from stdin, where neither the process list nor the shell's history sees it, and saves it. The issuer is
 * not asked: a key shows its worth when it is used.
 *
 * @throws {LoginError} STDIN_TERMINAL, API_KEY_INVALID, LOGIN_TIMEOUT, …; an earlier login stays as it was.
 */
export async function loginWithApiKey(
  world: World,
  config: Config,
  { timeoutMs, tell }: { timeoutMs: number; tell: (note: string) => void },
): Promise<SavedKey> {
  if (config.forcedLoginMethod === "chatgpt") {
    throw new LoginError(
      "LOGIN_METHOD_FORBIDDEN",
      "Signing in with an API key is not allowed here",
      {
        reason: 'forced_login_method is "chatgpt"',
        hint: "codex-login",
      },
    );
  }
  if (await world.isTerminal("stdin")) {
    throw new LoginError(
      "STDIN_TERMINAL",
      "--with-api-key reads the key from stdin, and that is a terminal",
    );
  }
  const store = openStore(world, config);
  for (const message of config.notes) tell(message);
  await store.prove(tell);
  const apiKey = parseApiKey(await readInTime(world, timeoutMs));
  world.log.hide(apiKey);
  world.signal.throwIfAborted();
  const { earlier, keptAside } = await store.update(
    (current) => apiKeyDocument(apiKey, current?.document),
    tell,
  );
  world.saved();
  if (keptAside) tell(`The damaged credentials were kept as ${printable(keptAside)}.`);
  if (earlier?.mode === "chatgpt" && earlier.tokens) {
    tell("The ChatGPT login it replaces was not revoked; its tokens are left to expire.");
  }
  return { store: store.kind, path: store.path, apiKey };
}

/**
 * One line of UTF-8, white space around it cut, as people and shells leave it there.
 *
 * @throws {LoginError} API_KEY_INVALID, which never repeats what was read.
 */
export function parseApiKey(bytes: Uint8Array): string {
  if (bytes.length > MAX_KEY_BYTES) throw invalid(`it is longer than ${MAX_KEY_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    throw invalid("it is not UTF-8");
  }
  if (text === "") throw invalid("stdin was empty; is OPENAI_API_KEY set?");
  if (/[\r\n]/.test(text)) throw invalid("it is more than one line");
  if (/[\s\p{C}]/u.test(text)) throw invalid("it has a space or a control character in it");
  if (text.startsWith("at-")) throw invalid("it is a personal access token, which begins with at-");
  return text;
}

async function readInTime(world: World, timeoutMs: number): Promise<Uint8Array> {
  const done = new AbortController();
  const stop = AbortSignal.any([done.signal, world.signal]);
  const reading = world.stdin.read(MAX_KEY_BYTES, stop);
  const timeout = timeoutMs === 0 ? [] : [
    world.sleep(timeoutMs, stop).then(() => {
      world.signal.throwIfAborted();
      throw new LoginError("LOGIN_TIMEOUT", "No key came on stdin in time");
    }),
  ];
  try {
    return await Promise.race([reading, ...timeout]);
  } finally {
    for (const late of [reading, ...timeout]) late.catch(() => {});
    done.abort();
  }
}

function invalid(reason: string): LoginError {
  return new LoginError("API_KEY_INVALID", "What came on stdin is not an API key", { reason });
}
