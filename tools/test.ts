/**
 * The whole suite: under Deno, under Bun, and its end-to-end part once more against each thing that people download.
 * The last line is `N passed, N failed`. Arguments are file names to restrict it to.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const endToEnd = readdirSync("tests").filter((name) =>
  /\.e2e\.test\.ts$|^executable\.test\.ts$/.test(name)
)
  .map((name) => `tests/${name}`);

const passes: readonly Pass[] = [
  {
    name: "Deno",
    command: [
      process.execPath,
      "test",
      "--allow-all",
      "--no-check",
      ...(chosen.length === 0 ? [`--coverage=${REPORTS}/deno`] : []),
      `--junit-path=${REPORTS}/deno.xml`,
      ...(chosen.length > 0 ? chosen : ["tests/"]),
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
  ...["executable", "bundle"].map((subject): Pass => ({
    name: subject,
    command: [bunPath(), "test", ...bunReport(subject), ...(chosen.length > 0 ? chosen : endToEnd)],
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
for (const pass of passes) {
  say(`\n===== ${pass.name} =====`);
  const status = run(pass.command, pass.env);
  const counts = readReport(pass.report);
  // A runner that crashed, or whose coverage is too low, has failed even if no test did.
  const lost = status !== 0 && counts.failed === 0 ? 1 : 0;
  passed += counts.passed;
  failed += counts.failed + lost;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  summary.push(`${pass.name}: ${counts.passed} passed, ${counts.failed + lost} failed${skipped}`);
  if (chosen.length === 0 && pass.lcov) failed += judgeCoverage(pass.name, pass.lcov);
}
say(`\n${summary.join("\n")}\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function bunReport(name: string): string[] {
  return ["--timeout=120000", "--reporter=junit", `--reporter-outfile=${REPORTS}/${name}.xml`];
}

function bunCoverage(): string[] {
  if (chosen.length > 0) return [];
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
