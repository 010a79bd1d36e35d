import { existsSync, readFileSync } from "node:fs";

/** One test case of a JUnit report. */
export interface TestCase {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Seconds. */
  readonly took: number;
}

/** The test cases of a JUnit report; undefined when there is none, because the runner did not get that far. */
export function readReport(path: string): TestCase[] | undefined {
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").split(/<testcase\b/).slice(1).map((text) => {
    const [own = ""] = text.split("</testcase>");
    const [attributes = ""] = own.split(">");
    return {
      name: decode(/ name="([^"]*)"/.exec(attributes)?.[1] ?? ""),
      outcome: /<(failure|error)\b/.test(own)
        ? "failed"
        : /<skipped\b/.test(own)
        ? "skipped"
        : "passed",
      took: Number(/ time="([^"]*)"/.exec(attributes)?.[1] ?? 0),
    };
  });
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function decode(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ENTITIES[name] ?? "");
}
