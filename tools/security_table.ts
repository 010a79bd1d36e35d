import { type RequirementId, REQUIREMENTS, type Subject, SUBJECTS } from "../tests/requirements.ts";
import type { TestCase } from "./junit.ts";

/** How a requirement stands for one subject. */
export type Standing = "pass" | "waived" | "n/a" | "FAILED" | "OPEN";

export interface Row {
  readonly id: RequirementId;
  readonly standings: Readonly<Record<Subject, Standing>>;
}

/** What is waived, for whom and why: `- **S23, Deno**: the reason`, from SECURITY.md. */
export interface Waiver {
  readonly id: string;
  readonly subjects: readonly string[];
  readonly reason: string;
}

export function readWaivers(markdown: string): Waiver[] {
  const items = markdown.matchAll(
    /^- \*\*(S\d+)((?:, \w+)+)\*\*: ([^]+?)(?=\n- |\n\n|\n#|\s*$(?![^]))/gm,
  );
  return [...items].map(([, id = "", subjects = "", reason = ""]) => ({
    id,
    subjects: subjects.split(", ").slice(1),
    reason: reason.trim().replace(/\s+/g, " "),
  }));
}

/** The rows that a test names in its title: `… [S3 S18]`. */
export function requirementsOf(title: string): string[] {
  return /\[(S\d+(?: S\d+)*)\]$/.exec(title)?.[1]?.split(" ") ?? [];
}

/**
 * How each row stands. What is waived somewhere still fails if a test of it does: it is waived in part, and its tests hold the
 * rest. A row whose tests were all skipped is open: nobody knows.
 */
export function judgeRequirements(
  reports: Readonly<Record<Subject, readonly TestCase[]>>,
  waivers: readonly Waiver[],
): Row[] {
  const outcomes = new Map<string, TestCase["outcome"][]>();
  for (const subject of SUBJECTS) {
    for (const { name, outcome } of reports[subject]) {
      for (const id of requirementsOf(name)) {
        const key = `${id} ${subject}`;
        outcomes.set(key, [...outcomes.get(key) ?? [], outcome]);
      }
    }
  }
  const stands = (id: RequirementId, subject: Subject): Standing => {
    const { where } = REQUIREMENTS[id];
    const met = outcomes.get(`${id} ${subject}`) ?? [];
    if (met.includes("failed")) return "FAILED";
    if (!where.includes(subject)) return "n/a";
    if (waivers.some((one) => one.id === id && one.subjects.includes(subject))) return "waived";
    return met.includes("passed") ? "pass" : "OPEN";
  };
  return (Object.keys(REQUIREMENTS) as RequirementId[]).map((id) => ({
    id,
    standings: {
      Deno: stands(id, "Deno"),
      Bun: stands(id, "Bun"),
      executable: stands(id, "executable"),
    },
  }));
}

/** The table of SECURITY.md, as `deno fmt` would leave it but for the widths of its columns. */
export function documentRequirements(waivers: readonly Waiver[]): string {
  const lines = (Object.keys(REQUIREMENTS) as RequirementId[]).map((id) => {
    const { says, source, where, reference } = REQUIREMENTS[id];
    const waived = waivers.filter((one) => one.id === id).flatMap(({ subjects }) => subjects);
    const ours = [
      where.length < SUBJECTS.length ? `yes (${where.join(", ")})` : "yes",
      ...(waived.length > 0 ? [`waived in part on ${waived.join(", ")}`] : []),
    ].join("; ");
    return `| ${id} | ${says} | ${source} | ${ours} | ${reference ?? "not looked at"} |`;
  });
  return [
    "| row | what must be true | asked for by | codex-login | Codex CLI 0.169.0 |",
    "| --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
