import { strict as assert } from "node:assert";
import type { Check, CheckStatus, Examined, Finding } from "../../src/checks/check.ts";
import { resolveConfigOrDefaults } from "../../src/config_or_defaults.ts";
import { createWorld, type TestWorld } from "./world.ts";

export interface ExaminedHome extends Examined {
  readonly world: TestWorld;
}

/** What the doctor looks at, with this home and the settings that it has. */
export async function examine(
  home: { readonly path: string },
  { overrides = [], ...changes }: Partial<TestWorld> & { overrides?: string[] } = {},
): Promise<ExaminedHome> {
  const world = await createWorld(changes);
  const flags = { codexHome: home.path, overrides };
  const { config, obstacle } = await resolveConfigOrDefaults(world, flags);
  return { world, config, obstacle, hazard: undefined };
}

/** Runs one of these checks. */
export async function findingOf(checks: readonly Check[], id: string): Promise<Finding> {
  const check = checks.find((one) => one.id === id);
  assert.ok(check, `there is no check ${id}`);
  const finding = await check.run(new AbortController().signal);
  const isTrouble = finding.status === "warn" || finding.status === "fail";
  assert.equal(finding.expected !== null, isTrouble, id);
  assert.equal(finding.remedy !== null, isTrouble, id);
  return finding;
}

/** The status is this, and everything that is told together matches. */
export function assertFinding(
  { status, measured, expected, remedy }: Finding,
  wanted: CheckStatus,
  ...patterns: RegExp[]
): void {
  const told = `${measured} | ${expected} | ${remedy}`;
  assert.equal(status, wanted, told);
  for (const pattern of patterns) assert.match(told, pattern);
}
