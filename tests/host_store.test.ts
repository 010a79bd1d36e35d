import assert from "node:assert/strict";
import { test } from "node:test";
import { createHostStore } from "../src/credentials/host_store.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createMemoryStore, type HostStore } from "../src/host_store.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";
import { createWorld } from "./testing/world.ts";

const world = await createWorld();
const KEY = { auth_mode: "apikey", OPENAI_API_KEY: "sk-one" };
const everything = (): boolean => true;

function rejectsWith(work: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(work, (thrown) => {
    assert.ok(thrown instanceof LoginError);
    assert.equal(thrown.code, code);
    assert.ok(!`${thrown.message} ${thrown.reason}`.includes("sk-secret"));
    return true;
  });
}

test("a login goes into a program's own store, and out again", async () => {
  const host = createMemoryStore();
  const store = createHostStore(world, host);
  assert.equal(await store.load(), undefined);
  assert.deepEqual(await store.update(() => KEY), { earlier: undefined, keptAside: undefined });
  assert.deepEqual(JSON.parse(await host.read() ?? ""), KEY);
  assert.equal((await createHostStore(world, host).load())?.apiKey, "sk-one");
  const { earlier } = await store.update(() => undefined);
  assert.equal(earlier?.apiKey, "sk-one");
  assert.equal(await store.remove(() => false), false);
  assert.equal(await store.remove(everything), true);
  assert.equal(await host.read(), undefined);
});

test("who opens the same store waits for each other, and knows what was sent", async () => {
  const host = createMemoryStore();
  const [one, two] = [createHostStore(world, host), createHostStore(world, host)];
  const held = deferred<void>();
  const order: string[] = [];
  const first = one.renewing(async (mark) => {
    await mark.write("token", { wasCutOff: true, failure: undefined });
    await held.promise;
    order.push("one");
  });
  const second = two.renewing(async (mark) => {
    assert.equal((await mark.read("token"))?.wasCutOff, true);
    await mark.clear();
    assert.equal(await mark.read("token"), undefined);
    order.push("two");
  });
  held.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["one", "two"]);
});

test("a store that fails or is damaged is told without what it said", async () => {
  const broken: HostStore = {
    read: () => Promise.reject(new Error("sk-secret")),
    write: () => Promise.reject(new Error("sk-secret")),
    remove: () => Promise.reject(new Error("sk-secret")),
  };
  await rejectsWith(createHostStore(world, broken).load(), "CREDENTIALS_UNREADABLE");
  await rejectsWith(createHostStore(world, broken).prove("sign-in"), "CREDENTIALS_UNREADABLE");
  const readable = { ...broken, read: () => Promise.resolve(undefined) };
  await rejectsWith(createHostStore(world, readable).update(() => KEY), "SAVE_FAILED");
  await rejectsWith(createHostStore(world, readable).remove(everything), "SAVE_FAILED");
  const damaged = createMemoryStore();
  await damaged.write("sk-secret");
  await rejectsWith(createHostStore(world, damaged).load(), "CREDENTIALS_CORRUPT");
  await createHostStore(world, damaged).update((current) => current ? undefined : KEY);
  assert.equal((await createHostStore(world, damaged).load())?.apiKey, "sk-one");
});

test("a store that throws at once, answers without a promise, or never answers, is told in bounded time", async () => {
  const secret = Object.assign(new Error("sk-secret"), { name: "sk-secret" });
  const atOnce: HostStore = {
    read: () => {
      throw secret;
    },
    write: () => {
      throw secret;
    },
    remove: () => Promise.resolve(),
  };
  await rejectsWith(createHostStore(world, atOnce).load(), "CREDENTIALS_UNREADABLE");
  const plain = { ...atOnce, read: () => Promise.resolve(undefined) };
  await rejectsWith(createHostStore(world, plain).update(() => KEY), "SAVE_FAILED");
  const written: string[] = [];
  const noPromise = { ...plain, write: ((text: string) => void written.push(text)) as never };
  await createHostStore(world, noPromise).update(() => KEY);
  assert.equal(written.length, 1);

  const clock = createSteppedClock();
  const never = (): Promise<never> => new Promise(() => {});
  const ending = new AbortController();
  const slow = { ...world, ...clock, signal: ending.signal };
  const hanging = { read: never, write: never, remove: never };
  const loading = rejectsWith(createHostStore(slow, hanging).load(), "CREDENTIALS_UNREADABLE");
  await clock.advance(31_000);
  await loading;
  const canceled = rejectsWith(createHostStore(slow, hanging).load(), "CANCELED");
  ending.abort(new LoginError("CANCELED", "no"));
  await clock.advance(1);
  await canceled;
});
