import type { RunDetails } from "fast-check";
import { formatJson } from "../src/json.ts";
import type { FuzzProperty } from "../tests/fuzz/fuzz_property.ts";

/** Runs of one property before the next has its turn, and the milliseconds after which it has it in any case. */
const TURN = 200;
const TURN_MS = 5_000;

export interface FuzzOptions {
  /** By the clock of `now`, ms. */
  readonly endsAt: number;
  readonly now: () => number;
  readonly seed: () => number;
  readonly say: (line: string) => void;
  /** Told whose turn it is. */
  readonly begin?: (name: string, seed: number) => void;
}

/**
 * Tries all properties in turn until the time is over. One that failed is not tried again.
 *
 * @returns what failed, with what it failed on and how to see it again.
 */
export async function fuzz(
  properties: readonly FuzzProperty[],
  { endsAt, now, seed, say, begin }: FuzzOptions,
): Promise<string[]> {
  const runs = new Map(properties.map(({ name }) => [name, 0]));
  const failures = new Map<string, string>();
  do {
    for (const { name, share, run } of properties) {
      if (failures.has(name)) continue;
      const chosen = seed();
      begin?.(name, chosen);
      const details = await run({
        seed: chosen,
        numRuns: Math.ceil(TURN * share),
        interruptAfterTimeLimit: TURN_MS,
      });
      runs.set(name, (runs.get(name) ?? 0) + details.numRuns);
      if (details.failed) {
        const failure = describeFailure(name, details);
        failures.set(name, failure);
        say(failure);
      }
      if (now() >= endsAt) break;
    }
  } while (now() < endsAt && failures.size < properties.length);
  for (const [name, count] of runs) say(`${String(count).padStart(8)} runs  ${name}`);
  return [...failures.values()];
}

/** What it failed on, as short as it could be made, and the arguments that show it again. */
export function describeFailure(name: string, details: RunDetails<unknown>): string {
  const { counterexample, errorInstance, seed, counterexamplePath } = details;
  const thrown = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  // What cannot be seen is escaped, or nobody could copy it into a test.
  const shown = formatJson(counterexample ?? null).slice(0, 2_000);
  return [
    `${name}: ${thrown.slice(0, 2_000)}`,
    `  on ${shown}`,
    `  npm run fuzz -- --only "${name}" --seed=${seed} --path=${counterexamplePath}`,
  ].join("\n");
}
