import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { createLineOutput, type LineOutput } from "../src/line_output.ts";
import { waitForReader } from "../src/slow_reader.ts";
import type { World } from "../src/world.ts";

const LINE = "x".repeat(1 << 16);

interface Reader {
  readonly output: LineOutput;
  readonly ending: AbortController;
  /** Each ends one of the waits for the clock. */
  readonly late: readonly (() => void)[];
  readonly world: Pick<World, "sleep" | "signal">;
  takeOne(): Promise<void>;
}

/** A reader that takes one part each time it is let, and a clock that moves when it is told to. */
function createReader(lines: number): Reader {
  let next = deferred<void>();
  const output = createLineOutput(() => next.promise, () => assert.fail("nothing failed"));
  for (let i = 0; i < lines; i++) output.send(LINE);
  const ending = new AbortController();
  const late: (() => void)[] = [];
  return {
    output,
    ending,
    late,
    takeOne: async (): Promise<void> => {
      const { resolve } = next;
      next = deferred();
      const taken = output.nextTaken();
      resolve();
      await taken;
    },
    world: {
      signal: ending.signal,
      sleep: (_ms: number, signal?: AbortSignal): Promise<void> =>
        new Promise((resolve) => {
          late.push(resolve);
          signal?.addEventListener("abort", () => resolve());
        }),
    },
  };
}

test("a reader that goes on slowly is waited for", async () => {
  const { output, world, takeOne, late } = createReader(4);
  const waiting = waitForReader(world, output, LINE.length * 2);
  let isOver = false;
  const over = waiting.then(() => isOver = true);
  await takeOne();
  assert.equal(isOver, false);
  await takeOne();
  await takeOne();
  await over;
  assert.ok(late.length >= 2, "the time begins anew with each part");
  await waitForReader(world, output, LINE.length * 2);
});

test("one that takes nothing for too long is given up, and its size is left as it was", async () => {
  const { output, world, late } = createReader(4);
  const waiting = waitForReader(world, output, LINE.length);
  const before = output.pendingLength();
  late.at(-1)?.();
  await assert.rejects(waiting, { code: "OUTPUT_FAILED" });
  assert.equal(output.pendingLength(), before);
});

test("whoever ends the program is not kept waiting, and it is no failure of the reader", async () => {
  const { output, world, ending } = createReader(4);
  const waiting = waitForReader(world, output, LINE.length);
  ending.abort(new Error("told to end"));
  await waiting;
});
