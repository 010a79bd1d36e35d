import assert from "node:assert/strict";
import { test } from "node:test";
import { runRounds } from "../../tools/bench/rounds.ts";

test("jobs take turns, and the first round does not count", async () => {
  const order: string[] = [];
  const job = (subject: string) => ({
    ...{ name: "it", subject },
    run: () => ({ wall: order.push(subject) }),
  });
  const [measure] = await runRounds(2, [job("a"), job("b")], { wall: "ms" });
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.deepEqual(measure?.series, [
    { subject: "a", samples: [3, 5] },
    { subject: "b", samples: [4, 6] },
  ]);
});

test("a run that fails leaves a hole, and its reason", async () => {
  let runs = 0;
  const [measure] = await runRounds(3, [{
    ...{ name: "it", subject: "a" },
    run(): { wall: number } {
      if (++runs === 3) throw new Error("no luck");
      return { wall: runs };
    },
  }], { wall: "ms" });
  assert.deepEqual(measure?.series, [{ subject: "a", samples: [2, null, 4], problem: "no luck" }]);
});

test("who fails again and again is left out, and it is said why", async () => {
  let runs = 0;
  const measures = await runRounds(9, [{
    ...{ name: "it", subject: "a" },
    run(): never {
      runs++;
      throw new Error("never");
    },
  }], { wall: "ms", cpu: "ms" });
  assert.equal(runs, 3);
  assert.equal(measures.length, 1);
  assert.equal(measures[0]?.series[0]?.problem, "never");
});

test("a quantity that nobody has is no measure", async () => {
  const run = () => ({ wall: 1 });
  const measures = await runRounds(1, [{ name: "it", subject: "a", run }], {
    wall: "ms",
    cpu: "ms",
  });
  assert.deepEqual(measures.map(({ quantity }) => quantity), ["wall"]);
});
