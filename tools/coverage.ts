import { readFileSync } from "node:fs";

/** The other runtimes' files cannot run under the one that is measured. */
const NOT_MEASURED = /src\/runtime\/(deno|bun|bun_libc|node)\.ts$/;

/** Reads an lcov report: how much of the lines of src/ were run, and the three files with the least of it. */
export function readCoverage(path: string): { percent: number; weakest: string } {
  let found = 0;
  let hit = 0;
  const files: { name: string; percent: number }[] = [];
  for (const record of readFileSync(path, "utf8").split("end_of_record")) {
    const name = /^SF:(.*)$/m.exec(record)?.[1]?.replace(/^.*?(src\/)/, "$1") ?? "";
    if (!name.startsWith("src/") || NOT_MEASURED.test(name)) continue;
    const lines = [...record.matchAll(/^DA:\d+,(\d+)/gm)];
    const run = lines.filter(([, count]) => Number(count) > 0).length;
    found += lines.length;
    hit += run;
    files.push({ name, percent: lines.length === 0 ? 100 : (100 * run) / lines.length });
  }
  files.sort((a, b) => a.percent - b.percent);
  const weakest = files.slice(0, 3).map(({ name, percent }) => `${name} ${percent.toFixed(0)} %`)
    .join(", ");
  return { percent: found === 0 ? 0 : (100 * hit) / found, weakest };
}
