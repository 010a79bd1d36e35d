import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunPath } from "../../tools/bun_path.ts";
import { programCommand, ROOT, SUBJECT } from "./program.ts";

const RANDOM = join(ROOT, "tests/testing/counted_random.mjs");
const ENTRY = join(ROOT, "tests/testing/counted_entry.ts");

let folder: string | undefined;

/**
 * The command that starts the program with random numbers that count: an executable is built so, the others load them first.
 * Of its pool, which has two threads at least, an executable uses one, so that each thread makes the same calls in each run.
 */
export function countedCommand(): readonly string[] {
  const [runtime = "", ...rest] = programCommand();
  if (SUBJECT === "bundle") return [runtime, "--import", RANDOM, ...rest];
  if (rest[0] === "run") return [runtime, "run", "--preload", RANDOM, ...rest.slice(1)];
  if (SUBJECT === "source") return [runtime, "--preload", RANDOM, ...rest];
  folder ??= build();
  return ["env", "UV_THREADPOOL_SIZE=1", join(folder, "codex-login")];
}

export function removeCountedProgram(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
}

function build(): string {
  const path = mkdtempSync(join(tmpdir(), "codex-login-counted-"));
  const out = `--outfile=${join(path, "codex-login")}`;
  const options = { encoding: "utf8", cwd: ROOT } as const;
  const { status, stderr } = spawnSync(bunPath(), ["build", "--compile", ENTRY, out], options);
  assert.equal(status, 0, stderr);
  execFileSync("mkfifo", [join(path, "busy")]);
  return path;
}
