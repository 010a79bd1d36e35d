import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemWorld, type Ending } from "../src/system_world.ts";

const ENDING: Ending = {
  interrupt: () => {},
  signal: new AbortController().signal,
  saved: () => {},
  hold: (work) => work(),
};

test("sleep() ends early when told to, and at once when it is already told", async () => {
  const world = await createSystemWorld(ENDING);
  const ending = new AbortController();
  const pause = world.sleep(60_000, ending.signal);
  ending.abort();
  await pause;
  await world.sleep(60_000, ending.signal);
  await world.sleep(0);
  await world.sleep(1);
});

test("randomBytes() gives as many as asked for, never the same", async () => {
  const world = await createSystemWorld(ENDING);
  const [a, b] = [world.randomBytes(32), world.randomBytes(32)];
  assert.equal(a.length, 32);
  assert.notDeepEqual(a, b);
});
