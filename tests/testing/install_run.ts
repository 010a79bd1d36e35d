import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createHome } from "./home.ts";
import { ROOT } from "./program.ts";
import { fakeProgram } from "./release_server.ts";
import { missingTool } from "./tools.ts";

export const INSTALL_SH = join(ROOT, "install.sh");

/** Every shell that people may have as sh. */
const SHELLS: readonly (readonly string[])[] = [["dash"], ["bash", "--posix"], ["busybox", "sh"]];

/** One test for each shell. */
export function inEveryShell(
  title: string,
  prove: (shell: readonly string[]) => Promise<void>,
  because: (shell: readonly string[]) => string | false = () => false,
): void {
  for (const shell of SHELLS) {
    const [program = ""] = shell;
    const skip = process.platform === "win32"
      ? "Windows has no sh"
      : because(shell) || missingTool(program, "--help");
    test(`${shell.join(" ")}: ${title}`, { skip }, () => prove(shell));
  }
}

/** What install.sh may use, as a machine has it. */
const TOOLS = [
  ..."cat chmod curl grep gzip head ls mkdir mktemp mv rm sha256sum sh tar timeout".split(" "),
];

/** What a machine says that it is. */
export interface Machine {
  readonly system?: string;
  readonly cpu?: string;
  readonly isMusl?: boolean;
  readonly bits?: number;
  readonly isTranslated?: boolean;
}

/** A machine that install.sh believes in: a PATH of its own, a home, and what is in it. */
export interface Place extends AsyncDisposable {
  readonly home: string;
  readonly tools: string;
  /** Where it installs without being told otherwise. */
  readonly installed: string;
  readonly env: Readonly<Record<string, string>>;
  run(shell: readonly string[], args?: readonly string[], how?: RunOptions): Promise<InstallRun>;
  /** Everything in the home, folders with a slash, without the tools. */
  list(): Promise<string[]>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Put before the shell: `unshare …`. */
  readonly wrapper?: readonly string[];
  /** Another text than install.sh's, on stdin. */
  readonly stdin?: string;
  /** Told the process, which leads a group of its own, as in a terminal. */
  readonly onStart?: (pid: number) => void;
}

export interface InstallRun {
  readonly code: number | null;
  readonly out: string;
}

export async function createPlace(
  { system = "Linux", cpu = "x86_64", isMusl, bits = 64, isTranslated }: Machine = {},
  tools: readonly string[] = TOOLS,
): Promise<Place> {
  const outer = await createHome();
  const [home, folder] = [join(outer.path, "a home"), join(outer.path, "tools")];
  await mkdir(home);
  await mkdir(folder);
  for (const tool of tools) await addTool(folder, tool);
  const scripts = {
    uname: `case $1 in -s) echo ${system} ;; *) echo ${cpu} ;; esac`,
    ldd: isMusl ? "echo 'musl libc (x86_64)' >&2; exit 1" : "echo 'ldd (Debian GLIBC 2.36) 2.36'",
    getconf: `[ "$1" = LONG_BIT ] && echo ${bits}`,
    sysctl: isTranslated
      ? '[ "$*" = "-n sysctl.proc_translated" ] && echo 1'
      : "echo unknown >&2; exit 1",
  };
  for (const [name, text] of Object.entries(scripts)) await addScript(folder, name, text);
  const env = { PATH: folder, HOME: home, SHELL: "/bin/sh" };
  return {
    home,
    tools: folder,
    installed: join(home, ".local/bin/codex-login"),
    env,
    run: (shell, args = [], how = {}) => run(shell, args, { ...how, env: { ...env, ...how.env } }),
    list: async () => {
      const entries = await readdir(home, { recursive: true, withFileTypes: true });
      return entries.map((entry) =>
        join(entry.parentPath, entry.name).slice(home.length + 1) + (entry.isDirectory() ? "/" : "")
      ).sort();
    },
    [Symbol.asyncDispose]: () => outer[Symbol.asyncDispose](),
  };
}

/** The machine's tools without some and with others. */
export function toolsBut(without: readonly string[], and: readonly string[] = []): string[] {
  return [...TOOLS.filter((tool) => !without.includes(tool)), ...and];
}

async function addTool(folder: string, name: string): Promise<void> {
  // "wget=busybox": busybox by the name of wget.
  const [as = "", of = as] = name.split("=");
  const path = (process.env["PATH"] ?? "").split(":").map((one) => join(one, of)).find(existsSync);
  if (path !== undefined) await symlink(path, join(folder, as));
}

export async function addScript(folder: string, name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
  await chmod(join(folder, name), 0o755);
}

/** An older version, as install.sh had put it there. */
export async function plantOlder(place: Place): Promise<string> {
  await mkdir(join(place.home, ".local/bin"), { recursive: true });
  const program = fakeProgram("1.0.0");
  await writeFile(place.installed, program);
  await chmod(place.installed, 0o755);
  return program;
}

export function readInstalled(place: Place): Promise<string> {
  return readFile(place.installed, "utf8");
}

async function run(
  [shell = "", ...parameters]: readonly string[],
  args: readonly string[],
  { env = {}, cwd = ROOT, wrapper = [], stdin, onStart }: RunOptions,
): Promise<InstallRun> {
  const path = (process.env["PATH"] ?? "").split(":").map((one) => join(one, shell)).find(
    existsSync,
  ) ?? shell;
  const script = stdin === undefined ? [INSTALL_SH, ...args] : ["-s", "--", ...args];
  const [program = "", ...rest] = [...wrapper, path, ...parameters, ...script];
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  const child = spawn(program, rest, {
    cwd,
    env: Object.fromEntries(set) as Record<string, string>,
    stdio: ["pipe", "pipe", "pipe"],
    detached: onStart !== undefined,
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  child.stdin.on("error", () => {});
  child.stdin.end(stdin ?? "");
  let out = "";
  child.stdout.on("data", (chunk) => out += chunk);
  child.stderr.on("data", (chunk) => out += chunk);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out }));
  });
}

/** An archive that the real tar makes, of these arguments, in this folder. */
export function packByTar(folder: string, ...args: string[]): Uint8Array {
  const { status, stdout, stderr } = spawnSync("tar", ["-C", folder, "-czPf", "-", ...args]);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  return stdout;
}
