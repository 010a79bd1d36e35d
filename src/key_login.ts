import type { Config } from "./config.ts";
import { apiKeyDocument } from "./credentials/auth_document.ts";
import { prepareStore } from "./credentials/prepare_store.ts";
import { saveLogin } from "./credentials/save_login.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { LoginError } from "./errors.ts";
import {
  invalid,
  parseSecret,
  readStdinSecret,
  refuseTerminal,
  type StdinSecret,
} from "./stdin_secret.ts";
import { tellStep } from "./story.ts";
import type { World } from "./world.ts";
import { describeReplaced, describeUnrevoked } from "./replaced_notes.ts";

const API_KEY: StdinSecret = {
  name: "API key",
  flag: "--with-api-key",
  variable: "OPENAI_API_KEY",
  code: "API_KEY_INVALID",
};

export interface SavedKey extends Pick<CredentialStore, "kind" | "path"> {
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
  { timeoutMs, ask, tell }: {
    timeoutMs: number;
    /** Asks a person for the key, instead of reading stdin. */
    ask?: (() => Promise<string>) | undefined;
    tell: (note: string) => void;
  },
): Promise<SavedKey> {
  refuseForbiddenKey(config);
  if (!ask) await refuseTerminal(world, API_KEY);
  for (const message of config.notes) tell(message);
  const store = await tellStep(world, "store check", () => prepareStore(world, config, tell));
  const apiKey = ask
    ? parseKey(await ask())
    : refuseOtherTokens(await readStdinSecret(world, API_KEY, timeoutMs), API_KEY);
  world.log.hide(apiKey);
  world.signal.throwIfAborted();
  const replaced = await tellStep(
    world,
    "save",
    () => saveLogin(store, (earlier) => apiKeyDocument(apiKey, earlier), tell),
  );
  world.saved();
  for (const note of [...describeReplaced(replaced), ...describeUnrevoked(replaced)]) tell(note);
  return { kind: store.kind, path: store.path, apiKey };
}

/**
 * Whether a key that a program hands over could be stored here.
 *
 * @throws {LoginError} LOGIN_METHOD_FORBIDDEN, API_KEY_INVALID
 */
export function checkApiKey(config: Pick<Config, "forcedLoginMethod">, apiKey: string): void {
  refuseForbiddenKey(config);
  parseKey(apiKey);
}

function refuseForbiddenKey(config: Pick<Config, "forcedLoginMethod">): void {
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
}

function parseKey(given: string): string {
  const secret = { ...API_KEY, isGiven: true };
  return refuseOtherTokens(parseSecret(Buffer.from(given), secret), secret);
}

function refuseOtherTokens(apiKey: string, secret: StdinSecret): string {
  if (!apiKey.startsWith("at-")) return apiKey;
  throw invalid(secret, "it is a personal access token: use --with-access-token");
}
