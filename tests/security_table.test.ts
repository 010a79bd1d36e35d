import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { describeFailures, readReport, type TestCase } from "../tools/junit.ts";
import { judgeRequirements, readWaivers, requirementsOf } from "../tools/security_table.ts";
import type { RequirementId } from "./requirements.ts";
import { verifies } from "./testing/verifies.ts";

const met = (name: string, outcome: TestCase["outcome"] = "passed"): TestCase => ({
  name,
  outcome,
  took: 0,
});

const WAIVER = { id: "S23", subjects: ["Deno"], reason: "its server has no such limit" };

/** How one row stands on Deno, when this is all that was run. */
function standing(id: string, cases: TestCase[], waivers = [WAIVER]): string | undefined {
  const reports = { Deno: cases, Bun: [], executable: [] };
  return judgeRequirements(reports, waivers).find((row) => row.id === id)?.standings.Deno;
}

test("a row passes by a test that passed, and by nothing else", () => {
  assert.equal(standing("S1", [met("a [S1]")]), "pass");
  assert.equal(standing("S1", [met("a [S3 S1 S2]")]), "pass");
  assert.equal(standing("S1", [met("a [S1]"), met("b [S1]", "failed")]), "FAILED");
  assert.equal(standing("S1", [met("a [S1]", "skipped")]), "OPEN");
  assert.equal(standing("S1", [met("a [S1]"), met("b [S1]", "skipped")]), "pass");
  assert.equal(standing("S1", [met("a [S10]"), met("S1"), met("[S1] a")]), "OPEN");
  assert.equal(standing("S1", []), "OPEN");
});

test("what is waived, or does not apply, fails all the same when a test of it does", () => {
  assert.equal(standing("S23", []), "waived");
  assert.equal(standing("S23", [met("a [S23]")]), "waived");
  assert.equal(standing("S23", [met("a [S23]", "failed")]), "FAILED");
  assert.equal(standing("S23", [], []), "OPEN");
  assert.equal(standing("S75", []), "n/a");
  assert.equal(standing("S75", [met("a [S75]", "failed")]), "FAILED");
});

test("waivers are read with their reasons, over several lines", () => {
  const text =
    "# x\n\n- **S14, Bun, executable**: one\n  reason.\n- **S23, Deno**: another.\n\nmore\n";
  assert.deepEqual(readWaivers(text), [
    { id: "S14", subjects: ["Bun", "executable"], reason: "one reason." },
    { id: "S23", subjects: ["Deno"], reason: "another." },
  ]);
  assert.deepEqual(readWaivers("- **S23**: for nobody.\n"), []);
});

test("verifies() knows the rows of the bar and no others", () => {
  assert.deepEqual(requirementsOf("it holds [S1 S22]"), ["S1", "S22"]);
  const unknown = "S76" as RequirementId;
  assert.throws(() => verifies(unknown, "nothing", () => {}), /no requirement S76/);
});

test("a report is read with its names, outcomes and times", () => {
  const folder = mkdtempSync(join(tmpdir(), "codex-login-report-"));
  const path = join(folder, "report.xml");
  try {
    assert.equal(readReport(path), undefined);
    writeFileSync(
      path,
      `<testsuite><testcase name="a &lt;b&gt; [S1]" classname="x" time="0.5" /><testcase name="c" time="1">
<failure message="wrong">a &lt; b&#10;at c.ts:1</failure></testcase><testcase name="d" time="0"><skipped /></testcase></testsuite>`,
    );
    const cases = readReport(path) ?? [];
    assert.deepEqual(cases, [
      { name: "a <b> [S1]", outcome: "passed", took: 0.5 },
      { name: "c", outcome: "failed", took: 1, failure: "a < b\nat c.ts:1" },
      { name: "d", outcome: "skipped", took: 0 },
    ]);
    assert.deepEqual(describeFailures("Bun", cases), [
      "failed on Bun: c\n    a < b\n    at c.ts:1",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
