import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchState } from "../../src/oauth/state.ts";
import { verifies } from "../testing/verifies.ts";

const STATE = "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm8";

verifies("S2", "matchState() accepts the state and nothing else", async () => {
  assert.equal((await matchState(STATE, STATE)).isSame, true);
  for (const other of ["", STATE.slice(1), `${STATE} `, STATE.toLowerCase(), `${STATE}${STATE}`]) {
    assert.equal((await matchState(STATE, other)).isSame, false, other);
  }
  assert.equal((await matchState("", "")).isSame, false);
  await fc.assert(fc.asyncProperty(fc.string(), async (other) => {
    assert.equal((await matchState(STATE, other)).isSame, other === STATE);
  }));
});

test("matchState() knows the one onboarding suffix, and reports it for the right state only", async () => {
  const suffix = ".onboarding_entrypoint=life_sciences";
  assert.deepEqual(await matchState(STATE, STATE + suffix), {
    isSame: true,
    onboardingEntrypoint: "life_sciences",
  });
  assert.deepEqual(await matchState(STATE, `x${suffix}`), {
    isSame: false,
    onboardingEntrypoint: undefined,
  });
  for (
    const other of [".onboarding_entrypoint=other", `${suffix}x`, suffix + suffix, `${suffix} `]
  ) {
    assert.equal((await matchState(STATE, STATE + other)).isSame, false, other);
  }
});
