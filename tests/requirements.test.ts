import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startsProgram } from "../tools/passes.ts";
import { documentRequirements, readWaivers } from "../tools/security_table.ts";
import { type RequirementId, REQUIREMENTS, type Subject, SUBJECTS } from "./requirements.ts";
import { ROOT } from "./testing/program.ts";

const MAX_WAIVED = 5;

const SECURITY = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
const waivers = readWaivers(SECURITY);
const ids = Object.keys(REQUIREMENTS) as RequirementId[];

/** What tests say that they prove: the row, and whether by a process of the program. */
const claims = (readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" }))
  .filter((file) => file.endsWith(".test.ts"))
  .flatMap((file) => {
    const text = readFileSync(join(ROOT, "tests", file), "utf8");
    const calls = text.matchAll(/\bverifies\(\s*(?:"([^"]*)"|\[([^\]]*)\])/g);
    return [...calls].flatMap(([, one, several = ""]) =>
      [...(one === undefined ? several.matchAll(/"([^"]*)"/g) : [["", one]])].map((
        [, id = ""],
      ) => ({
        id,
        file,
        isOfProgram: startsProgram(file),
      }))
    );
  });

test("the bar has 75 rows, S1 to S75, each with its words and its source", () => {
  assert.deepEqual(ids, Array.from({ length: 75 }, (_, at) => `S${at + 1}`));
  for (const id of ids) {
    const { says, source, where } = REQUIREMENTS[id];
    assert.ok(says.endsWith(".") && says.length <= 120, id);
    assert.ok(source.length > 0 && where.length > 0, id);
  }
});

test("each row has a test, the executable one that starts it; and no test names another row", () => {
  assert.ok(claims.length > 150);
  for (const { id, file } of claims) assert.ok(Object.hasOwn(REQUIREMENTS, id), `${file}: ${id}`);
  const lacking = ids.filter((id) => !claims.some((claim) => claim.id === id));
  assert.deepEqual(lacking, [], "rows without a test");
  const unproven = ids.filter((id) => {
    const applies = (REQUIREMENTS[id].where as readonly Subject[]).includes("executable");
    return applies && !claims.some((claim) => claim.id === id && claim.isOfProgram);
  });
  assert.deepEqual(unproven, [], "rows that no test proves for the executable");
});

test("what is waived has its reason in SECURITY.md, and is little", () => {
  for (const { id, subjects, reason } of waivers) {
    const { where } = REQUIREMENTS[id as RequirementId] ?? assert.fail(`there is no row ${id}`);
    for (const subject of subjects) {
      assert.ok(SUBJECTS.includes(subject as Subject), `${id}: ${subject}`);
      assert.ok(
        (where as readonly string[]).includes(subject),
        `${id} does not apply to ${subject}`,
      );
    }
    assert.ok(reason.length > 60, `${id}: no reason`);
  }
  const waived = waivers.map(({ id }) => id);
  assert.equal(new Set(waived).size, waived.length);
  assert.ok(waived.length <= MAX_WAIVED, waived.join());
  const named = [...SECURITY.matchAll(/^- \*\*(S\d+)/gm)].map(([, id]) => id);
  assert.deepEqual(waived, named, "a waiver that cannot be read");
});

test("SECURITY.md has the table of all rows (`npm run security -- --document` writes it)", () => {
  const cells = (text: string): string[] =>
    text.split("\n").filter((line) => /^\| (S\d|row)/.test(line)).map((line) =>
      line.replace(/\s+\|/g, " |").replace(/\|\s+/g, "| ").trim()
    );
  assert.deepEqual(cells(SECURITY), cells(documentRequirements(waivers)));
});
