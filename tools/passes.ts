import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { bunPath } from "./bun_path.ts";

/** Where what the passes say and find is left. */
export const REPORTS = "cov";

/** One run of tests in a process of its own. */
export interface Pass {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  /** Its report, in JUnit's form. */
  readonly report: string;
  /** Where it leaves what it covered. */
  readonly lcov?: string;
}

export interface PassOptions {
  /** Test files; all, if none are named. */
  readonly files?: readonly string[];
  /** Only tests whose title has this. */
  readonly only?: RegExp;
  readonly isCovered?: boolean;
  readonly env?: Record<string, string>;
}

/** Makes room for the reports, and builds what is tested. */
export function preparePasses(): void {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS);
  if (runInSight([process.execPath, "run", "-A", "build.ts"]) !== 0) process.exit(1);
}

export function denoPass({ files = ["tests/"], only, isCovered, env = {} }: PassOptions): Pass {
  return {
    name: "Deno",
    command: [
      ...[process.execPath, "test", "--allow-all", "--no-check"],
      ...(isCovered ? [`--coverage=${REPORTS}/deno`] : []),
      ...(only ? [`--filter=${only}`] : []),
      `--junit-path=${REPORTS}/deno.xml`,
      ...files,
    ],
    env,
    report: `${REPORTS}/deno.xml`,
    lcov: `${REPORTS}/deno.lcov`,
  };
}

/** @param subject what the tests start as a process: the sources, or one of the things that people download. */
export function bunPass(
  subject: "source" | "executable" | "bundle",
  { files = [], only, isCovered, env = {} }: PassOptions,
): Pass {
  const name = subject === "source" ? "Bun" : subject;
  const report = `${REPORTS}/${name}.xml`;
  return {
    name,
    command: [
      ...[bunPath(), "test", "--timeout=120000"],
      ...["--reporter=junit", `--reporter-outfile=${report}`],
      ...(isCovered
        ? ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${REPORTS}/bun`]
        : []),
      ...(only ? [`--test-name-pattern=${only.source}`] : []),
      ...files,
    ],
    env: { ...env, CODEX_LOGIN_SUBJECT: subject },
    report,
    lcov: `${REPORTS}/bun/lcov.info`,
  };
}

/** Only what starts the program as a process can tell what is built from the sources. */
export function startsProgram(file: string): boolean {
  return /\.e2e\.test\.ts$|executable\.test\.ts$/.test(file);
}

/** Two cores, and a pass waits a good part of its time. */
const LANES = 2;

/**
 * Runs passes, the longest first, each in the first lane that is free. What they say goes unseen meanwhile, and is shown when
 * each is over. Without networks of their own there is one lane: the tests use fixed ports.
 */
export async function runPasses(
  passes: readonly Pass[],
  judge: (pass: Pass, status: number) => void,
): Promise<void> {
  const isolation = findIsolation();
  if (!isolation) {
    for (const pass of passes) {
      process.stdout.write(`\n===== ${pass.name} =====\n`);
      judge(pass, runInSight(pass.command, pass.env));
    }
    return;
  }
  const queue = [...passes];
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (let pass = queue.shift(); pass; pass = queue.shift()) {
      const output = `${REPORTS}/${pass.name}.log`;
      const status = await runInto(output, [...isolation, ...pass.command], pass.env);
      process.stdout.write(`\n===== ${pass.name} =====\n${readFileSync(output, "utf8")}`);
      judge(pass, status);
    }
  }));
}

/** A network of its own for a command. Undefined where that cannot be had. */
function findIsolation(): readonly string[] | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const isolation = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const [program = "", ...parameters] = isolation;
  return spawnSync(program, [...parameters, "true"]).status === 0 ? isolation : undefined;
}

function runInto(
  path: string,
  [program = "", ...parameters]: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  const output = openSync(path, "w");
  const child = spawn(program, parameters, {
    stdio: ["ignore", output, output],
    env: { ...process.env, ...env },
  });
  closeSync(output);
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (status) => resolve(status ?? 1));
  });
}

export function runInSight(command: readonly string[], env: Record<string, string> = {}): number {
  const [program = "", ...parameters] = command;
  const { status } = spawnSync(program, parameters, {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}
