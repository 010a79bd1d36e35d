/**
 * The security bar as a gate: runs every test that proves a line of it, the long sweeps and fuzzing included, and prints how
 * each line stands on Deno, on Bun and in the executable. The bundle on Node is asked in short and has no column, but what
 * fails there fails. Exits 0 only when no line that applies is open.
 * `--document` writes the table of SECURITY.md anew instead. File names restrict the run, and then lines may be open.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { REQUIREMENTS, type Subject, SUBJECTS } from "../tests/requirements.ts";
import { describeFailures, readReport, type TestCase } from "./junit.ts";
import { bunPass, denoPass, type Pass, preparePasses, runPasses, startsProgram } from "./passes.ts";
import { documentRequirements, judgeRequirements, readWaivers } from "./security_table.ts";

const DOCUMENT = "SECURITY.md";
const TAGGED = /\[S\d/;

const waivers = readWaivers(readFileSync(DOCUMENT, "utf8"));
const chosen = process.argv.slice(2);
if (chosen[0] === "--document") {
  const text = readFileSync(DOCUMENT, "utf8");
  const table = documentRequirements(waivers).replaceAll("$", "$$$$");
  writeFileSync(DOCUMENT, text.replace(/^\| row .*\n(?:\|.*\n)+/m, `${table}\n`));
  process.exit(0);
}

const files = chosen.length > 0 ? chosen : listTagged();
const reports: Record<Subject, TestCase[]> = { Deno: [], Bun: [], executable: [] };
let passed = 0;
let failed = 0;
const failures: string[] = [];

const options = { files, only: TAGGED, env: { CODEX_LOGIN_THOROUGH: "true" } };
const endToEnd = files.filter(startsProgram);
preparePasses();
await runPasses([
  ...(endToEnd.length > 0 ? [bunPass("executable", { ...options, files: endToEnd })] : []),
  denoPass(options),
  bunPass("source", options),
  ...(endToEnd.length > 0 ? [bunPass("bundle", { files: endToEnd, only: TAGGED })] : []),
], judge);

const rows = judgeRequirements(reports, waivers);
say(`\n${"row".padEnd(5)}${SUBJECTS.map((one) => one.padEnd(12)).join("")}what must be true`);
for (const { id, standings } of rows) {
  const columns = SUBJECTS.map((subject) => standings[subject].padEnd(12)).join("");
  say(`${id.padEnd(5)}${columns}${REQUIREMENTS[id].says}`);
}
say("");
for (const { id, subjects, reason } of waivers) {
  say(`waived: ${id} on ${subjects.join(", ")}: ${reason}`);
}
const isOpen = (standing: string): boolean => ["OPEN", "FAILED"].includes(standing);
const open = rows.filter(({ standings }) => SUBJECTS.some((one) => isOpen(standings[one])));
say(
  `${
    rows.length - open.length
  } of ${rows.length} answered, ${waivers.length} of them waived in part` +
    (open.length > 0 ? `; open: ${open.map(({ id }) => id).join(" ")}` : ""),
);
failed += open.length > 0 && failed === 0 ? 1 : 0;
if (failures.length > 0) say(failures.join("\n"));
say(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function listTagged(): string[] {
  return (readdirSync("tests", { recursive: true, encoding: "utf8" }) as string[])
    .map((name) => `tests/${name.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => /\bverifies\(/.test(readFileSync(file, "utf8")))
    .sort();
}

function judge(pass: Pass, status: number): void {
  const cases = (readReport(pass.report) ?? []).filter(({ name }) => TAGGED.test(name));
  const count = (outcome: string): number => cases.filter((one) => one.outcome === outcome).length;
  const lost = (status !== 0 || cases.length === 0) && count("failed") === 0 ? 1 : 0;
  passed += count("passed");
  failed += count("failed") + lost;
  failures.push(...describeFailures(pass.name, cases));
  if (lost > 0) {
    failures.push(`${pass.name}: the runner ended with ${status}, although no test failed`);
  }
  if (pass.name !== "bundle") reports[pass.name as Subject] = cases;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
