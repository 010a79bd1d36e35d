import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Polling, pollUntilGranted } from "../src/device_polling.ts";
import { LoginError } from "../src/errors.ts";
import type { PollAnswer } from "../src/oauth/poll_answer.ts";
import { createClock, type VirtualClock } from "./testing/virtual_clock.ts";
import { verifies } from "./testing/verifies.ts";

const NEVER = new AbortController().signal;
const EXPIRED = new LoginError("LOGIN_TIMEOUT", "Over");

function run(
  clock: VirtualClock,
  answers: readonly (PollAnswer<string> | LoginError)[],
  changes: Partial<Polling<string>> = {},
): { done: Promise<string>; polledAt: number[]; limits: number[]; told: string[] } {
  const polledAt: number[] = [];
  const limits: number[] = [];
  const told: string[] = [];
  const done = pollUntilGranted({ ...clock, signal: NEVER }, {
    intervalMs: 5_000,
    deadline: 900_000,
    poll(limitMs): Promise<PollAnswer<string>> {
      const answer = answers[Math.min(polledAt.length, answers.length - 1)];
      polledAt.push(clock.elapsed());
      limits.push(limitMs);
      return answer === undefined || answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(answer);
    },
    onUnavailable: (why) => void told.push(why),
    expired: () => EXPIRED,
    ...changes,
  });
  return { done, polledAt, limits, told };
}

test("pollUntilGranted() asks at once, waits as told, and gives what was granted", async () => {
  const clock = createClock();
  const { done, polledAt, limits, told } = run(clock, [
    { kind: "pending", retryAfterMs: 0 },
    { kind: "slow down", retryAfterMs: 0 },
    { kind: "slow down", retryAfterMs: 30_000 },
    { kind: "unavailable", why: "HTTP 503", retryAfterMs: 0 },
    { kind: "unavailable", why: "HTTP 503", retryAfterMs: 200_000 },
    { kind: "pending", retryAfterMs: 0 },
    { kind: "granted", grant: "tokens" },
  ]);
  assert.equal(await done, "tokens");
  assert.deepEqual(polledAt, [0, 5_000, 15_000, 45_000, 75_000, 275_000, 290_000]);
  assert.deepEqual(new Set(limits), new Set([30_000]));
  assert.deepEqual(told, ["HTTP 503", "HTTP 503"]);
});

test("pollUntilGranted() cuts its last wait and its last request to what is left", async () => {
  const clock = createClock();
  const { done, polledAt, limits } = run(clock, [{ kind: "pending", retryAfterMs: 0 }], {
    deadline: 12_000,
  });
  await assert.rejects(done, EXPIRED);
  assert.deepEqual(polledAt, [0, 5_000, 10_000]);
  assert.deepEqual(limits, [12_000, 7_000, 2_000]);
  assert.equal(clock.elapsed(), 12_000);
});

verifies("S41", "pollUntilGranted() asks no more when its last timer fires early", async () => {
  const clock = createClock();
  const early: VirtualClock = {
    ...clock,
    sleep: (ms, signal) => clock.sleep(Math.max(ms - 2, 0), signal),
  };
  const { done, polledAt } = run(early, [{ kind: "pending", retryAfterMs: 0 }], {
    deadline: 12_000,
  });
  await assert.rejects(done, EXPIRED);
  assert.equal(polledAt.length, 3);
});

verifies("S35", "pollUntilGranted() waits out network errors and ends with any other", async () => {
  for (const code of ["DNS", "TLS", "NETWORK", "CONNECT_REFUSED", "CONNECTION_RESET"] as const) {
    const error = new LoginError(code, "No");
    const { done, told } = run(createClock(), [error, { kind: "granted", grant: "x" }]);
    assert.equal(await done, "x");
    assert.deepEqual(told, [code]);
  }
  for (const code of ["ACCESS_DENIED", "RESPONSE_TOO_LARGE", "TOKEN_RESPONSE_INVALID"] as const) {
    const { done, polledAt } = run(createClock(), [new LoginError(code, "No")]);
    await assert.rejects(done, { code });
    assert.equal(polledAt.length, 1);
  }
});

verifies(
  "S41",
  "pollUntilGranted() never asks sooner than the interval nor later than the deadline, whatever it is told",
  async () => {
    const answer = fc.oneof(
      fc.constant<PollAnswer<string>>({ kind: "pending", retryAfterMs: 0 }),
      fc.record({
        kind: fc.constantFrom("slow down" as const, "unavailable" as const),
        why: fc.constant("HTTP 500"),
        retryAfterMs: fc.integer({ min: 0, max: 300_000 }),
      }),
      fc.constant(new LoginError("DNS", "No")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 30_000, max: 60_000 }),
        async (answers, intervalMs) => {
          const clock = createClock();
          const { done, polledAt } = run(clock, answers, { intervalMs });
          await assert.rejects(done, EXPIRED);
          polledAt.forEach((at, i) => {
            assert.ok(i === 0 || at - (polledAt[i - 1] ?? 0) >= intervalMs);
          });
          assert.ok((polledAt.at(-1) ?? 0) < 900_000);
          assert.equal(clock.elapsed(), 900_000);
        },
      ),
      { numRuns: 40 },
    );
  },
);
