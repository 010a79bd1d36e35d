import * as v from "valibot";
import { parseJson } from "./json.ts";
import { describeSystemError } from "./system_error.ts";
import type { KeyringAccess, KeyringAnswer, KeyringStep } from "./world.ts";

/** The most that goes either way: a login of the largest size, escaped, and what it replaces. */
export const MAX_KEYRING_MESSAGE_BYTES = 8 << 20;
/** Milliseconds for one call. */
const CALL_MS = 3_000;
/** Milliseconds after which a keyring that failed is not asked again: nobody waits twice. */
const PATIENCE_MS = 1_000;

/** What the helper is given of the environment: where the keyring is, and nothing that could be a secret or change what runs. */
const VARIABLES = [
  ...["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP"],
  ...["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"],
  ...["SystemRoot", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "DENO_DIR"],
];

const Answer = v.union([
  v.object({ texts: v.array(v.nullable(v.string())) }),
  v.object({ failure: v.string(), isAbsent: v.boolean() }),
]);

/**
 * The keyring through a helper process: what hangs there is ended with it, and a fault of the native code ends nothing else.
 * Texts go through pipes, never through arguments or the environment.
 *
 * @param command starts the helper.
 */
export function createKeyringAccess(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  limitMs: number = CALL_MS,
): KeyringAccess {
  let hung: KeyringAnswer | undefined;
  return async (steps) => {
    if (hung) return hung;
    const started = performance.now();
    const said = await callHelper(command, env, steps, limitMs);
    const answer = said === undefined
      ? { failure: `it did not answer within ${limitMs / 1000} s`, isAbsent: false }
      : parseAnswer(said);
    const isSlow = said === undefined || performance.now() - started >= PATIENCE_MS;
    if ("failure" in answer && isSlow) hung = answer;
    return answer;
  };
}

function parseAnswer(said: string): KeyringAnswer {
  try {
    const limits = { maxLength: MAX_KEYRING_MESSAGE_BYTES, maxDepth: 4 };
    return v.parse(Answer, parseJson(said, limits));
  } catch {
    // Not what it said: a part of it may be a secret.
    return { failure: "its helper process failed", isAbsent: false };
  }
}

/** What the helper says, or undefined when it takes too long. */
async function callHelper(
  [program = "", ...parameters]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  steps: readonly KeyringStep[],
  limitMs: number,
): Promise<string | undefined> {
  const { spawn } = await import("node:child_process");
  return await new Promise((resolve) => {
    const child = spawn(program, parameters, {
      env: Object.fromEntries(VARIABLES.flatMap((name) => env[name] ? [[name, env[name]]] : [])),
      // Its own session: Ctrl-C in the terminal must not end a save.
      detached: true,
      windowsHide: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    const end = (said: string | undefined): void => {
      clearTimeout(timer);
      resolve(said);
    };
    const giveUp = (said: string | undefined): void => {
      end(said);
      child.kill("SIGKILL");
      child.stdout.destroy();
    };
    const timer = setTimeout(() => giveUp(undefined), limitMs);
    child.once("error", (thrown) => end(JSON.stringify(failed(describeSystemError(thrown)))));
    child.stdout.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_KEYRING_MESSAGE_BYTES) giveUp("");
    });
    child.once("close", () => end(Buffer.concat(chunks).toString()));
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(steps));
  });
}

function failed(reason: string): KeyringAnswer {
  return { failure: `its helper process: ${reason}`, isAbsent: false };
}
