import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { missingTool } from "../../tests/testing/tools.ts";
import { randomLibrary } from "./random_library.ts";
import { executablePath, type Target } from "./targets.ts";

/** How a target's executable is started on this machine, or why it is not. */
export type Start = { readonly program: string; readonly by: string } | { readonly skip: string };

const ARM_LIBRARIES = "/usr/aarch64-linux-gnu";

/**
 * Programs for other machines are started by what stands for these: qemu for arm64, Wine for Windows. Tests start one program
 * by its path, and so it is a script.
 *
 * @param folder where such a script may be put, and what it needs.
 */
export function startOf(target: Target, folder: string): Start {
  const path = resolve(executablePath(target));
  const { name } = target;
  const isHere = process.platform === "linux" && process.arch === target.architecture;
  if (name === "linux-x64" || name === "linux-arm64") {
    if (isHere) return { program: path, by: "itself" };
    if (name === "linux-x64") return { skip: "there is no Linux on x64 here" };
    const missing = missingTool("qemu-aarch64-static", "--version") ||
      missingFile(`${ARM_LIBRARIES}/lib/ld-linux-aarch64.so.1`);
    if (missing) return { skip: missing };
    const command = ["qemu-aarch64-static", "-L", ARM_LIBRARIES, path];
    return { program: writeScript(folder, name, {}, command), by: "qemu-user-static" };
  }
  if (name === `linux-${process.arch}-musl` && isHere) {
    const [loader = ""] = ["x86_64", "aarch64"].map((cpu) => `/lib/ld-musl-${cpu}.so.1`)
      .filter(existsSync);
    // Debian has musl's loader, and no libstdc++ for it.
    const missing = existsSync("/etc/alpine-release") && loader !== ""
      ? false
      : "musl needs a libstdc++ of its own, as Alpine has it";
    return missing ? { skip: missing } : { program: path, by: "itself" };
  }
  if (name === "windows-x64") {
    const missing = missingTool("wine", "--version");
    if (missing) return { skip: missing };
    // Wine looks for libraries beside what it was told to start, link or not; nothing is put into what is released.
    const beside = join(folder, "beside");
    mkdirSync(beside, { recursive: true });
    writeFileSync(join(beside, "bcryptprimitives.dll"), randomLibrary());
    const link = join(beside, target.executable);
    symlinkSync(path, link);
    const env = { WINEPREFIX: winePrefix(folder), WINEDEBUG: "-all" };
    return { program: writeScript(folder, name, env, ["wine", link]), by: "Wine" };
  }
  return { skip: `nothing here starts programs for ${name}` };
}

/** Ends what Wine leaves running for a while in case something else is started. */
export function stopWine(folder: string): void {
  if (!existsSync(winePrefix(folder))) return;
  spawnSync("wineserver", ["--kill", "--wait"], {
    env: { ...process.env, WINEPREFIX: winePrefix(folder) },
    timeout: 30_000,
  });
}

function winePrefix(folder: string): string {
  return join(folder, "wine");
}

function missingFile(path: string): string | false {
  if (existsSync(path)) return false;
  if (process.env["CI"] === "true") throw new Error(`${path} is missing`);
  return `${path} is missing`;
}

function writeScript(
  folder: string,
  name: string,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const variables = Object.entries(env).map(([key, value]) => `${key}=${quote(value)}`);
  const line = [...variables, "exec", ...command.map(quote), '"$@"'].join(" ");
  writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return path;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
