/**
 * Tries the parsers of all that comes from outside with inputs that are nearly right, ever other ones: `--minutes N` (1), then
 * it ends with 1 if anything failed. `--only NAME`, `--seed N` and `--path P` show one failure again.
 */
import { parseArgs } from "node:util";
import { endFuzz, PROPERTIES } from "../tests/fuzz/all.ts";
import { describeFailure, fuzz } from "./fuzz_loop.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    only: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const chosen = PROPERTIES.filter(({ name }) => values.only === undefined || name === values.only);
if (!(minutes >= 0) || chosen.length === 0) {
  say(`--minutes is a number; --only one of: ${PROPERTIES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const failures = values.path === undefined ? await search() : await repeat(values.path);
await endFuzz();
say(failures.length === 0 ? "nothing failed" : `${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

async function search(): Promise<string[]> {
  const given = values.seed === undefined ? undefined : Number(values.seed);
  return await fuzz(chosen, {
    endsAt: Date.now() + minutes * 60_000,
    now: Date.now,
    seed: () => given ?? crypto.getRandomValues(new Int32Array(1))[0] ?? 0,
    say,
  });
}

async function repeat(path: string): Promise<string[]> {
  const failed = await Promise.all(chosen.map(async ({ name, run }) => {
    const details = await run({ seed: Number(values.seed), path, endOnFailure: true });
    return details.failed ? [describeFailure(name, details)] : [];
  }));
  for (const one of failed.flat()) say(one);
  return failed.flat();
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
