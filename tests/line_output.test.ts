import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { createLineOutput } from "../src/line_output.ts";

test("lines go out in their order, and nobody waits for a slow reader", async () => {
  const read: string[] = [];
  let next = deferred<void>();
  const output = createLineOutput(async (text) => {
    await next.promise;
    read.push(text);
  }, () => assert.fail("nothing failed"));
  for (const line of ["one", "two", "three"]) output.send(line);
  assert.equal(output.pendingLength(), 14);
  assert.deepEqual(read, []);
  const reading = next;
  next = deferred<void>();
  next.resolve();
  reading.resolve();
  await output.drained();
  assert.equal(read.join(""), "one\ntwo\nthree\n");
  assert.equal(output.pendingLength(), 0);
  output.send("four");
  await output.drained();
  assert.equal(read.at(-1), "four\n");
});

test("a reader that is gone is told once, and then nothing is kept", async () => {
  const failures: unknown[] = [];
  const output = createLineOutput(
    () => Promise.reject(new Error("gone")),
    (thrown) => failures.push(thrown),
  );
  output.send("one");
  await output.drained();
  output.send("two");
  assert.equal(failures.length, 1);
  assert.equal(output.pendingLength(), 0);
});
