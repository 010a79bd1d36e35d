import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { systemCode } from "./errors.ts";

const TOOL_LIMIT_MS = 2_000;

/**
 * Reads a file of /proc; empty when it cannot be read. A sandbox that does not let us look there (then the failure is not
 * the system's and has no code) may still let us run cat(1).
 */
export async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    return systemCode(thrown) === undefined ? await runTool("cat", [path]) : "";
  }
}

/** The processes, among those that this user may look into, that hold an open file of this name, like `socket:[4711]`. */
export async function findProcessesHolding(name: string): Promise<string[]> {
  // find(1) takes a pattern, in which brackets have a meaning.
  const pattern = name.replace(/[[\]]/g, "\\$&");
  const found = await runTool("find", [
    "/proc",
    "-mindepth",
    "3",
    "-maxdepth",
    "3",
    "-lname",
    pattern,
  ]);
  return [...found.matchAll(/^\/proc\/(\d+)\/fd\//gm)].flatMap(([, pid]) => pid ?? []);
}

/** What a program of the system says; empty when it is missing or fails. */
export function runTool(program: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    // Of our environment it needs only where programs are; there may be secrets in the rest.
    const options = { timeout: TOOL_LIMIT_MS, env: { PATH: process.env["PATH"] } };
    execFile(program, parameters, options, (_, stdout) => resolve(stdout));
  });
}
