/**
 * The whole suite: under Deno, under Bun, and its end-to-end part once more against each thing that people download. What
 * proves a row of the security bar by starting the program is run on the executable here, and on all of them by
 * `npm run security`. The last line is `N passed, N failed`. Arguments are file names to restrict it to.
 */
import { existsSync, readdirSync } from "node:fs";
import { readCoverage } from "./coverage.ts";
import { describeFailures, readReport } from "./junit.ts";
import {
  bunPass,
  denoPass,
  type Pass,
  preparePasses,
  REPORTS,
  runInSight,
  runPasses,
  startsProgram,
} from "./passes.ts";

const MINIMUM_COVERAGE = 90;

const chosen = process.argv.slice(2);
const missing = chosen.find((file) => !existsSync(file));
if (missing !== undefined) {
  say(`${missing}: there is no such test file`);
  process.exit(2);
}
const isWhole = chosen.length === 0;
const files = isWhole ? readdirSync("tests").map((name) => `tests/${name}`) : chosen;
const endToEnd = files.filter(startsProgram);
const options = isWhole
  ? { isCovered: true, env: { CODEX_LOGIN_BAR: "executable" } }
  : { files: chosen };
const built = (subject: "executable" | "bundle"): Pass[] =>
  endToEnd.length > 0 ? [bunPass(subject, { ...options, files: endToEnd, isCovered: false })] : [];

preparePasses();

let passed = 0;
let failed = 0;
const summary: string[] = [];
const failures: string[] = [];
await runPasses([
  denoPass(options),
  bunPass("source", options),
  ...built("executable"),
  ...built("bundle"),
], judge);
say(`\n${[...failures, ...summary].join("\n")}\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function judge(pass: Pass, status: number): void {
  const cases = readReport(pass.report) ?? [];
  const count = (outcome: string): number => cases.filter((one) => one.outcome === outcome).length;
  // A runner that crashed has failed even if no test did.
  const lost = (status !== 0 || cases.length === 0) && count("failed") === 0 ? 1 : 0;
  passed += count("passed");
  failed += count("failed") + lost;
  failures.push(...describeFailures(pass.name, cases));
  if (lost > 0) {
    failures.push(`${pass.name}: the runner ended with ${status}, although no test failed`);
  }
  const skipped = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
  summary.push(
    `${pass.name}: ${count("passed")} passed, ${count("failed") + lost} failed${skipped}`,
  );
  if (isWhole && ["Deno", "Bun"].includes(pass.name)) failed += judgeCoverage(pass);
}

function judgeCoverage({ name, lcov = "" }: Pass): number {
  if (name === "Deno") {
    runInSight([process.execPath, "coverage", "--lcov", `--output=${lcov}`, `${REPORTS}/deno`]);
  }
  const { percent, weakest } = readCoverage(lcov);
  summary.push(`${name}: ${percent.toFixed(1)} % of the lines of src/ covered; least: ${weakest}`);
  return percent >= MINIMUM_COVERAGE ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
