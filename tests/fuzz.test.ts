import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { describeFailure, fuzz } from "../tools/fuzz_loop.ts";
import { endFuzz, PROPERTIES } from "./fuzz/all.ts";
import { fuzzProperty, MARK, parsed } from "./fuzz/fuzz_property.ts";
import { times } from "./testing/thorough.ts";
import { verifies } from "./testing/verifies.ts";
import { LoginError } from "../src/errors.ts";

/** The same inputs each time; `npm run fuzz` tries others. */
const SEED = 20_261_127;

after(endFuzz);

for (const { name, proves, share, run } of PROPERTIES) {
  verifies(proves, `whatever is given for ${name}, it is read or refused`, {
    timeout: 300_000,
  }, async () => {
    const details = await run({ seed: SEED, numRuns: Math.ceil(times(100, 3_000) * share) });
    assert.ok(!details.failed, describeFailure(name, details));
  });
}

test("names are different, so that one can be asked for", () => {
  const names = PROPERTIES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 30);
});

const BROKEN = fuzzProperty("a broken parser", ["S25"], fc.string(), (text) => {
  if (text.includes("x")) throw new TypeError("it fell");
});
const SOUND = fuzzProperty("a sound parser", ["S25"], fc.string(), () => {});

test("a property that fails is found, shrunk and told with what reproduces it", async () => {
  let clock = 0;
  const lines: string[] = [];
  const failures = await fuzz([SOUND, BROKEN], {
    endsAt: 20,
    now: () => clock++,
    seed: () => 7,
    say: (line) => void lines.push(line),
  });
  assert.equal(failures.length, 1);
  const [failure = ""] = failures;
  assert.match(failure, /^a broken parser: it fell/);
  assert.match(failure, /--only "a broken parser" --seed=7 --path=\S+/);
  assert.match(failure, /"x"/);
  // What has failed is not tried again; the others go on until the time is over.
  assert.ok(lines.some((line) => /^\s*\d+ runs {2}a sound parser$/.test(line)), lines.join("\n"));
});

test("a refusal that repeats what it was given, or shows what moves a cursor, is a failure", async () => {
  const refuse = (message: string) => () =>
    parsed(() => {
      throw new LoginError("CONFIG", message);
    });
  assert.equal(await refuse("it is refused")(), undefined);
  await assert.rejects(refuse(`it is ${MARK}`)(), /repeats/);
  await assert.rejects(refuse("it is \u001b[31m"));
  await assert.rejects(refuse("x".repeat(2_000)));
  await assert.rejects(
    parsed(() => {
      throw new RangeError("stack");
    }),
    /RangeError/,
  );
});
