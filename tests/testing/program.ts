import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemCode } from "../../src/errors.ts";
import { bunPath } from "../../tools/bun_path.ts";
import type { TestHome } from "./home.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is tested: the sources on the runtime that runs the tests, or one of the two things that people download. */
export const SUBJECT = process.env["CODEX_LOGIN_SUBJECT"] ?? "source";

const IS_DENO = "Deno" in globalThis;

/** The command line that starts the program, before its own arguments. */
export function programCommand(): string[] {
  switch (SUBJECT) {
    case "executable":
      return [built("codex-login")];
    case "bundle":
      return ["node", built("cli.js")];
    case "source":
      return IS_DENO ? onDeno(process.execPath) : [process.execPath, join(ROOT, "src/main.ts")];
    default:
      throw new Error(`CODEX_LOGIN_SUBJECT is "${SUBJECT}": source, executable or bundle`);
  }
}

/** Every way in which people run the program, on this machine: on Deno, on Bun, on Node, and by itself. */
export function everyProgram(): string[][] {
  return [
    onDeno(join(ROOT, "node_modules/.bin/deno")),
    [bunPath(), join(ROOT, "src/main.ts")],
    ["node", built("cli.js")],
    [built("codex-login")],
  ];
}

function onDeno(deno: string): string[] {
  const config = ["--config", join(ROOT, "deno.json"), "-P=login"];
  return [deno, "run", "--quiet", ...config, join(ROOT, "src/main.ts")];
}

function built(name: string): string {
  const path = join(ROOT, "dist", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: npm run build`);
  return path;
}

export interface StartOptions {
  readonly env?: Record<string, string>;
  /** Another way to start the program than `programCommand()`, or another program. */
  readonly program?: readonly string[];
  /** Put before the command: `setpriv …`, `strace …`. */
  readonly wrapper?: readonly string[];
  readonly cwd?: string;
  /** Written to stdin, which is then closed; without it stdin is empty. */
  readonly input?: string;
  /** Leaves stdin open, to be written to. */
  readonly keepsStdin?: boolean;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the program as a process of its own. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  /** Resolves with the match when stderr or stdout has it; rejects when the program ends without. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  /** The address to sign in at. */
  authUrl(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** A small environment: nothing of the person who runs the tests leaks into them. */
export function programEnvironment(
  home: TestHome,
  env: Record<string, string> = {},
): Record<string, string> {
  const kept = ["PATH", "TMPDIR", "SystemRoot"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    DENO_DIR: process.env["DENO_DIR"] ?? join(homedir(), ".cache", "deno"),
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
    // As `deno task login` has it.
    DENO_NO_UPDATE_CHECK: "1",
    HOME: home.path,
    CODEX_HOME: home.path,
    XDG_RUNTIME_DIR: home.path,
    ...env,
  };
}

export function startProgram(
  home: TestHome,
  args: readonly string[],
  options: StartOptions = {},
): Program {
  const [command = "", ...before] = [
    ...options.wrapper ?? [],
    ...options.program ?? programCommand(),
  ];
  const child = spawn(command, [...before, ...args], {
    env: programEnvironment(home, options.env),
    cwd: options.cwd ?? home.path,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  // What is read may end inside a character.
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    for (const watch of watchers) watch();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    for (const watch of watchers) watch();
  });
  child.stdin.on("error", () => {});
  if (!options.keepsStdin) child.stdin.end(options.input ?? "");
  let isOver = false;
  let hasExited = false;
  child.once("exit", () => hasExited = true);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => {
      isOver = true;
      resolve({ exitCode, signal, stdout, stderr });
      for (const watch of watchers) watch();
    });
  });
  const program: Program = {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    shows(pattern: RegExp): Promise<RegExpExecArray> {
      return new Promise((resolve, reject) => {
        const watch = (): void => {
          const match = pattern.exec(stderr) ?? pattern.exec(stdout);
          if (!match && !isOver) return;
          watchers.delete(watch);
          if (match) resolve(match);
          else reject(new Error(`ended without showing ${pattern}:\n${stdout}\n${stderr}`));
        };
        watchers.add(watch);
        watch();
      });
    },
    authUrl: async () => (await program.shows(/^https?:\/\/\S+\/oauth\/authorize\?\S+$/m))[0],
    kill(signal): void {
      if (hasExited) return;
      try {
        // Not child.kill(): on Deno that decides by itself how the program ended.
        process.kill(child.pid ?? 0, signal);
      } catch (error) {
        // It has ended, and nobody has heard of it yet. How it ended is for the test to look at.
        if (systemCode(error) !== "ESRCH") throw error;
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!isOver) child.kill("SIGKILL");
      await ended.catch(() => {});
    },
  };
  return program;
}

/** Starts `login` at this issuer, on a free port and without a browser. */
export function startLogin(
  home: TestHome,
  issuer: { readonly url: string },
  args: readonly string[] = [],
  options: StartOptions = {},
): Program {
  const own = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"];
  return startProgram(home, [...own, ...args], options);
}

/** Runs the program to its end. */
export async function runProgram(
  home: TestHome,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  return await startProgram(home, args, options).ended;
}
