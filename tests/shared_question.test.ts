import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { shareQuestion } from "../src/shared_question.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("who asks at once shares an answer, who asks while it is looked for gets a newer one", async () => {
  const answers: ((answer: number) => void)[] = [];
  const ask = shareQuestion(() => {
    const { promise, resolve } = deferred<number>();
    answers.push(resolve);
    return promise;
  });
  const first = [ask(), ask(), ask()];
  await turn();
  assert.equal(answers.length, 1);
  const second = [ask(), ask()];
  await turn();
  assert.equal(answers.length, 1);
  answers[0]?.(1);
  assert.deepEqual(await Promise.all(first), [1, 1, 1]);
  await turn();
  assert.equal(answers.length, 2);
  answers[1]?.(2);
  assert.deepEqual(await Promise.all(second), [2, 2]);
});

test("a failure is that of those who asked for it, and of nobody later", async () => {
  let count = 0;
  const ask = shareQuestion(() =>
    ++count === 1 ? Promise.reject(new Error("no")) : Promise.resolve(count)
  );
  const failing = [ask(), ask()];
  for (const one of failing) await assert.rejects(one, /no/);
  assert.equal(await ask(), 2);
  assert.equal(await ask(), 3);
});
