import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { programEnvironment, ROOT } from "./program.ts";
import type { TestHome } from "./home.ts";

/** A command that npm put there: on Windows that is a script, which takes a shell. */
export function npmCommand(name: string): string[] {
  return process.platform === "win32" ? ["cmd.exe", "/d", "/c", name] : [name];
}

/** Packs what was built, as it would be published, and removes it after the tests of this file. */
export function packTarball(): string {
  const folder = mkdtempSync(join(tmpdir(), "codex-login-tarball-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Scripts would build it anew, under the feet of other tests.
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [packed] = JSON.parse(run([...npmCommand("npm"), ...args], ROOT));
  return join(folder, packed.filename);
}

/** Installs it into this folder as anybody would who has no network and wants no native code. */
export async function installTarball(home: TestHome, tarball: string): Promise<void> {
  await writeFile(join(home.path, "package.json"), '{"name":"consumer","type":"module"}');
  const args = ["install", tarball, "--offline", "--ignore-scripts", "--omit=optional"];
  run(
    [...npmCommand("npm"), ...args, "--no-audit", "--no-fund"],
    home.path,
    programEnvironment(home),
  );
}

function run([command = "", ...args]: string[], cwd: string, env = process.env): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}
