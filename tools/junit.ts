import { existsSync, readFileSync } from "node:fs";

/** One test case of a JUnit report. */
export interface TestCase {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Seconds. */
  readonly took: number;
  /** What went wrong, and where. */
  readonly failure?: string;
}

/** The test cases of a JUnit report; undefined when there is none, because the runner did not get that far. */
export function readReport(path: string): TestCase[] | undefined {
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").split(/<testcase\b/).slice(1).map((text) => {
    const [own = ""] = text.split("</testcase>");
    const [attributes = ""] = own.split(">");
    const failure = /<(?:failure|error)\b[^>]*>([^<]*)/.exec(own)?.[1];
    return {
      name: decode(/ name="([^"]*)"/.exec(attributes)?.[1] ?? ""),
      outcome: failure !== undefined ? "failed" : /<skipped\b/.test(own) ? "skipped" : "passed",
      took: Number(/ time="([^"]*)"/.exec(attributes)?.[1] ?? 0),
      ...(failure !== undefined && { failure: decode(failure) }),
    };
  });
}

const MAX_FAILURE_LINES = 40;

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function decode(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp|#10);/g, (_, name) => ENTITIES[name] ?? "\n");
}

/** For the end of a long run, of which often only the last lines are kept. */
export function describeFailures(pass: string, cases: readonly TestCase[]): string[] {
  return cases.filter(({ outcome }) => outcome === "failed").map(({ name, failure = "" }) => {
    const lines = failure.trim().split("\n").slice(0, MAX_FAILURE_LINES);
    return `failed on ${pass}: ${name}\n${lines.map((line) => `    ${line}`).join("\n")}`;
  });
}
