/**
 * Tries the parsers of all that comes from outside with inputs that are nearly right, ever other ones: `--minutes N` (1), then
 * it ends with 1 if anything failed. `--only NAME`, `--seed=N` and `--path=P` show one failure again; `--module FILE` tries the
 * `PROPERTIES` of another file.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { FuzzProperty } from "../tests/fuzz/fuzz_property.ts";
import { describeFailure, fuzz } from "./fuzz_loop.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    only: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    module: { type: "string" },
  },
});
const { PROPERTIES: all, endFuzz }: {
  PROPERTIES: readonly FuzzProperty[];
  endFuzz?: () => Promise<void>;
} =
  await (values.module === undefined
    ? import("../tests/fuzz/all.ts")
    : import(pathToFileURL(resolve(values.module)).href));
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? undefined : Number(values.seed);
const chosen = all.filter(({ name }) => values.only === undefined || name === values.only);
const isReproducible = values.path === undefined ||
  (Number.isInteger(seed) && values.only !== undefined);
if (!(minutes >= 0) || Number.isNaN(seed) || !isReproducible || chosen.length === 0) {
  say("--minutes and --seed are numbers; --path takes --seed and --only, which is one of:");
  for (const { name } of all) say(`  ${name}`);
  process.exit(2);
}

let current = { name: "", seed: 0 };
// What falls outside of a property, in a timer or a socket of the program, belongs to the one that is tried at that moment.
process.on("uncaughtException", fall);
process.on("unhandledRejection", fall);

const failures = values.path === undefined ? await search() : await repeat(values.path);
await endFuzz?.();
say(failures.length === 0 ? "nothing failed" : `${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

async function search(): Promise<string[]> {
  return await fuzz(chosen, {
    endsAt: Date.now() + minutes * 60_000,
    now: Date.now,
    seed: () => seed ?? crypto.getRandomValues(new Int32Array(1))[0] ?? 0,
    say,
    begin: (name, begun) => current = { name, seed: begun },
  });
}

async function repeat(path: string): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of chosen) {
    current = { name, seed: seed ?? 0 };
    const details = await run({ seed: current.seed, path, endOnFailure: true });
    if (details.failed) failed.push(describeFailure(name, details));
  }
  for (const one of failed) say(one);
  return failed;
}

function fall(thrown: unknown): void {
  const told = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  say(`${current.name}: fell, with nobody to catch it: ${told.slice(0, 2_000)}`);
  say(`  npm run fuzz -- --only "${current.name}" --seed=${current.seed}`);
  process.exit(1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
