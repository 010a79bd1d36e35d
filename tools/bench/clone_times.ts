import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstallTime } from "./bench.ts";

/**
 * What somebody waits for who has just cloned the project: the packages, and a whole sign-in from sources that no runtime has seen
 * yet. It needs a network, or npm's cache, and what npm has in its cache is not fetched again.
 */
export function timeClone(root: string): InstallTime[] {
  const folder = mkdtempSync(join(tmpdir(), "codex-login-clone-"));
  const clone = join(folder, "clone");
  const cache = join(folder, "deno");
  mkdirSync(cache);
  const env = { ...process.env, DENO_DIR: cache };
  const time = (name: string, program: string, parameters: readonly string[]): InstallTime => {
    const started = performance.now();
    const cwd = name === "git clone" ? folder : clone;
    const { status, stdout, stderr } = spawnSync(program, parameters, {
      cwd,
      env,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${name} failed: ${stdout}${stderr}`);
    return { name, seconds: (performance.now() - started) / 1000 };
  };
  try {
    return [
      time("git clone", "git", ["clone", "--quiet", root, clone]),
      time("npm ci", "npm", ["ci"]),
      time("first npm run demo", "npm", ["run", "demo", "--", "--auto"]),
      time("second npm run demo", "npm", ["run", "demo", "--", "--auto"]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
