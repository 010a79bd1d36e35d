import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccountQueue } from "../src/account_queue.ts";
import { deferred } from "../src/deferred.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";

test("a question waits for the changes before it, a change for everything before it", async () => {
  const queue = createAccountQueue(createSteppedClock());
  const order: string[] = [];
  const [slow, hanging] = [deferred<void>(), deferred<void>()];
  const did = (what: string, after: Promise<void> = Promise.resolve()): () => Promise<void> => () =>
    after.then(() => void order.push(what));
  const all = [
    queue.ask(did("first question", slow.promise)),
    queue.ask(did("second question")),
    queue.change(did("first change")),
    queue.ask(did("third question")),
    // It is over for the others when it says so.
    queue.change((done) => {
      order.push("second change");
      done();
      return hanging.promise;
    }),
    queue.ask(did("last question")),
  ];
  await all[1];
  slow.resolve();
  await Promise.all([all[0], all[1], all[2], all[3], all[5]]);
  assert.deepEqual(order, [
    "second question",
    "first question",
    "first change",
    "third question",
    "second change",
    "last question",
  ]);
  hanging.resolve();
  await all[4];
});

test("a question that hangs keeps a change waiting for two seconds, and a failure nobody", async () => {
  const clock = createSteppedClock();
  const queue = createAccountQueue(clock);
  let isChanged = false;
  void queue.ask(() => new Promise(() => {}));
  const failing = queue.ask(() => Promise.reject(new Error("no")));
  const changing = queue.change(() => Promise.resolve(void (isChanged = true)));
  await assert.rejects(failing, /no/);
  await clock.advance(1_900);
  assert.equal(isChanged, false);
  await clock.advance(200);
  await changing;
  const refused = assert.rejects(queue.change(() => Promise.reject(new Error("no"))), /no/);
  const last = queue.change(() => Promise.resolve());
  await clock.advance(5_000);
  await Promise.all([refused, last]);
});
