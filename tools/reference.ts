import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Of Codex CLI, which the tests and the measurements compare with. */
export const REFERENCE_VERSION = "0.169.0";

/** Of it for Linux on x64, in bytes: its package as npm sends it, and the program in it. */
export const REFERENCE_SIZE = { packed: 167_001_509, program: 294_277_432 };

/** Codex CLI as npm installs it. */
export interface Reference {
  /** The program itself. */
  readonly program: string;
  /** What npm links to: a script that starts it. */
  readonly shim: string;
}

/**
 * Codex CLI beside the project, never in it: installed where it is not there yet. Its scripts are not run: they are not
 * needed, and it is a stranger.
 *
 * @throws {Error} when it cannot be had.
 */
export function installReference(): Reference {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "codex-login-interop", REFERENCE_VERSION);
  const found = findReference(folder);
  if (found) return found;
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync("npm", [
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `@openai/codex@${REFERENCE_VERSION}`,
  ], { encoding: "utf8" });
  if (status !== 0) throw new Error(`npm install failed: ${error ?? stderr.trim()}`);
  const installed = findReference(folder);
  if (installed) return installed;
  throw new Error(`@openai/codex@${REFERENCE_VERSION} holds no program for this machine`);
}

function findReference(folder: string): Reference | undefined {
  const scope = join(folder, "node_modules", "@openai");
  if (!existsSync(scope)) return undefined;
  const program = readdirSync(scope, { recursive: true, encoding: "utf8" })
    .filter((name) => /vendor[/\\][^/\\]+[/\\]bin[/\\]codex(\.exe)?$/.test(name))
    .map((name) => join(scope, name))[0];
  return program === undefined
    ? undefined
    : { program, shim: join(scope, "codex", "bin", "codex.js") };
}
