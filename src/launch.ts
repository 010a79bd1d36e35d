import type { ChildProcess } from "node:child_process";
import { systemCode } from "./errors.ts";
import { describeSystemError } from "./system_error.ts";

/** Milliseconds in which a program that cannot start usually says so. */
const LAUNCH_MS = 2_000;

/** An opener that hangs, or a browser that stays in the foreground: nobody can tell. */
export const STILL_RUNNING = "still running";

/** Variables that hold secrets by their name: a browser needs none of them. */
const SECRET =
  /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)(_|$)/i;

/**
 * Starts a program in a session of its own, so that Ctrl-C in the terminal does not end it, without anything of ours to read
 * or write, and without the secrets of our environment.
 *
 * @returns undefined when it is done, STILL_RUNNING when it has not come back, or why it failed. It never rejects.
 */
export async function launch(
  [program = "", ...parameters]: readonly string[],
): Promise<string | undefined> {
  const { spawn } = await import("node:child_process");
  try {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !SECRET.test(name)),
    );
    const options = { detached: true, stdio: "ignore", windowsHide: true, env } as const;
    return await observeStart(spawn(program, parameters, options));
  } catch (thrown) {
    return describeSystemError(thrown);
  }
}

function observeStart(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(STILL_RUNNING), LAUNCH_MS);
    // Not before it runs: on Deno a child that could not be started has nothing to let go of.
    child.once("spawn", () => child.unref());
    child.once("error", (thrown) => {
      clearTimeout(timer);
      resolve(systemCode(thrown) === "ENOENT" ? "not found" : describeSystemError(thrown));
    });
    child.once("exit", (code, killedBy) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : `ended with ${code ?? killedBy}`);
    });
  });
}
