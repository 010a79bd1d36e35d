import assert from "node:assert/strict";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import type { RequirementId } from "../requirements.ts";

/** In what a parser is given, so that it can be looked for in what it says. */
export const MARK = "fuzz-canary-0123456789";

/** Something that has to hold for whatever a parser is given. */
export interface FuzzProperty {
  readonly name: string;
  readonly proves: readonly RequirementId[];
  /** Of the tries that others get, since each takes longer. */
  readonly share: number;
  run(options: fc.Parameters<unknown>): Promise<fc.RunDetails<unknown>>;
}

/**
 * Processor time of one input, in ms: a thousand times what any takes. What grows with the square of its input needs more, as
 * the inputs go up to the limits of the parsers; how busy the machine is does not matter.
 */
const MAX_CPU_MS = 4_000;

export function fuzzProperty<T>(
  name: string,
  proves: readonly RequirementId[],
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => Promise<void> | void,
  { share } = { share: 1 },
): FuzzProperty {
  return {
    name,
    proves,
    share,
    run: (options) =>
      Promise.resolve(
        fc.check(
          fc.asyncProperty(arbitrary, async (value) => {
            const before = process.cpuUsage();
            await check(value);
            const { user, system } = process.cpuUsage(before);
            assert.ok(user + system < MAX_CPU_MS * 1_000, `it took ${(user + system) / 1_000} ms`);
            assertPrototypes();
          }),
          options as fc.Parameters<[T]>,
        ) as Promise<fc.RunDetails<unknown>>,
      ),
  };
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype];
const COUNTS = PROTOTYPES.map((one) => Reflect.ownKeys(one).length);

function assertPrototypes(): void {
  assert.deepEqual(PROTOTYPES.map((one) => Reflect.ownKeys(one).length), COUNTS);
}

/**
 * What a parser makes of it; undefined when it refuses, which it does with a LoginError whose words are clean, short and hold
 * nothing of the input that could be a secret.
 *
 * @param mayRepeat for what a person typed, which is theirs to see.
 */
export async function parsed<T>(
  parse: () => T | Promise<T>,
  { mayRepeat } = { mayRepeat: false },
): Promise<T | undefined> {
  try {
    return await parse();
  } catch (thrown) {
    assert.ok(thrown instanceof LoginError, `${(thrown as Error)?.stack ?? String(thrown)}`);
    const words = [thrown.message, thrown.reason ?? "", thrown.hint ?? ""];
    for (const text of words) {
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, JSON.stringify(text));
      assert.ok(text.length < 1_500, `${text.length} characters of words`);
      assert.ok(mayRepeat || !text.includes(MARK), "it repeats what it was given");
    }
    assert.notEqual(thrown.code, "INTERNAL");
    return undefined;
  }
}
