/**
 * The whole suite: under Deno, under Bun, and its end-to-end part once more against each thing that people download.
 * The last line is `N passed, N failed`. Arguments are file names to restrict it to.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { bunPath } from "./bun_path.ts";
import { readCoverage } from "./coverage.ts";

const REPORTS = "cov";
const MINIMUM_COVERAGE = 90;

interface Pass {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  readonly report: string;
  /** Where the pass leaves what it covered. */
  readonly lcov?: string;
}

const chosen = process.argv.slice(2);
const missing = chosen.find((file) => !existsSync(file));
if (missing !== undefined) {
  say(`${missing}: there is no such test file`);
  process.exit(2);
}
const isWhole = chosen.length === 0;
const files = isWhole ? readdirSync("tests").map((name) => `tests/${name}`) : chosen;
const endToEnd = files.filter((name) => /\.e2e\.test\.ts$|executable\.test\.ts$/.test(name));

const passes: readonly Pass[] = [
  {
    name: "Deno",
    command: [
      process.execPath,
      "test",
      "--allow-all",
      "--no-check",
      ...(isWhole ? [`--coverage=${REPORTS}/deno`] : []),
      `--junit-path=${REPORTS}/deno.xml`,
      ...(isWhole ? ["tests/"] : chosen),
    ],
    report: `${REPORTS}/deno.xml`,
    lcov: `${REPORTS}/deno.lcov`,
  },
  {
    name: "Bun",
    command: [bunPath(), "test", ...bunReport("bun"), ...bunCoverage(), ...chosen],
    report: `${REPORTS}/bun.xml`,
    lcov: `${REPORTS}/bun/lcov.info`,
  },
  // Only what starts the program as a process can tell these apart from the sources.
  ...(endToEnd.length > 0 ? ["executable", "bundle"] : []).map((subject): Pass => ({
    name: subject,
    command: [bunPath(), "test", ...bunReport(subject), ...endToEnd],
    env: { CODEX_LOGIN_SUBJECT: subject },
    report: `${REPORTS}/${subject}.xml`,
  })),
];

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS);
run([process.execPath, "run", "-A", "build.ts"]);

let passed = 0;
let failed = 0;
const summary: string[] = [];
const isolation = isWhole ? findIsolation() : undefined;
if (isolation) {
  // Two cores, and each pass waits most of the time. Half of it goes unseen meanwhile, and is shown when it is over.
  const [deno, bun, executable, bundle] = passes;
  await Promise.all([
    runLane([deno, bundle], isolation),
    runLane([bun, executable], isolation),
  ]);
} else {
  for (const pass of passes) {
    say(`\n===== ${pass.name} =====`);
    judge(pass, run(pass.command, pass.env));
  }
}
say(`\n${summary.join("\n")}\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** A network of its own for a command: the tests use fixed ports. Undefined where that cannot be had. */
function findIsolation(): readonly string[] | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const isolation = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const [program = "", ...parameters] = isolation;
  return spawnSync(program, [...parameters, "true"]).status === 0 ? isolation : undefined;
}

async function runLane(
  lane: readonly (Pass | undefined)[],
  isolation: readonly string[],
): Promise<void> {
  for (const pass of lane) {
    if (!pass) continue;
    const output = `${REPORTS}/${pass.name}.log`;
    const status = await runInto(output, [...isolation, ...pass.command], pass.env);
    say(`\n===== ${pass.name} =====\n${readFileSync(output, "utf8")}`);
    judge(pass, status);
  }
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

function judge(pass: Pass, status: number): void {
  const counts = readReport(pass.report);
  // A runner that crashed has failed even if no test did.
  const lost = status !== 0 && counts.failed === 0 ? 1 : 0;
  passed += counts.passed;
  failed += counts.failed + lost;
  if (lost > 0) say(`The runner ended with ${status}, although no test failed.`);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  summary.push(`${pass.name}: ${counts.passed} passed, ${counts.failed + lost} failed${skipped}`);
  if (isWhole && pass.lcov) failed += judgeCoverage(pass.name, pass.lcov);
}

function bunReport(name: string): string[] {
  return ["--timeout=120000", "--reporter=junit", `--reporter-outfile=${REPORTS}/${name}.xml`];
}

function bunCoverage(): string[] {
  if (!isWhole) return [];
  return ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${REPORTS}/bun`];
}

function judgeCoverage(name: string, lcov: string): number {
  if (name === "Deno") {
    run([process.execPath, "coverage", "--lcov", `--output=${lcov}`, `${REPORTS}/deno`]);
  }
  const { percent, weakest } = readCoverage(lcov);
  summary.push(`${name}: ${percent.toFixed(1)} % of the lines of src/ covered; least: ${weakest}`);
  return percent >= MINIMUM_COVERAGE ? 0 : 1;
}

function run(command: readonly string[], env: Record<string, string> = {}): number {
  const [program = "", ...parameters] = command;
  const { status } = spawnSync(program, parameters, {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}

/** Counts the test cases of a JUnit report. */
function readReport(path: string): { passed: number; failed: number; skipped: number } {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0 };
  const cases = readFileSync(path, "utf8").split(/<testcase\b/).slice(1).map((text) =>
    text.split("</testcase>")[0] ?? ""
  );
  const wrong = cases.filter((text) => /<(failure|error)\b/.test(text)).length;
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - wrong - skipped, failed: wrong, skipped };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
