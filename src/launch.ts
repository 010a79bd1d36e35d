import type { ChildProcess } from "node:child_process";
import { systemCode } from "./errors.ts";
import { describeSystemError } from "./system_error.ts";

/** Milliseconds in which a program that cannot start usually says so. */
const LAUNCH_MS = 2_000;

/**
 * Starts a program in a session of its own, so that Ctrl-C in the terminal does not end it, and without anything of ours
 * to read or write.
 *
 * @returns why it failed, or undefined once it seems to run. It never rejects.
 */
export async function launch(
  [program = "", ...parameters]: readonly string[],
): Promise<string | undefined> {
  const { spawn } = await import("node:child_process");
  try {
    const options = { detached: true, stdio: "ignore", windowsHide: true } as const;
    return await observeStart(spawn(program, parameters, options));
  } catch (thrown) {
    return describeSystemError(thrown);
  }
}

function observeStart(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), LAUNCH_MS);
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
