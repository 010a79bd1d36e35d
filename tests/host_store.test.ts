import assert from "node:assert/strict";
import { test } from "node:test";
import { createHostStore } from "../src/credentials/host_store.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createMemoryStore, type HostStore } from "../src/host_store.ts";

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
  const store = createHostStore(host);
  assert.equal(await store.load(), undefined);
  assert.deepEqual(await store.update(() => KEY), { earlier: undefined, keptAside: undefined });
  assert.deepEqual(JSON.parse(await host.read() ?? ""), KEY);
  assert.equal((await createHostStore(host).load())?.apiKey, "sk-one");
  const { earlier } = await store.update(() => undefined);
  assert.equal(earlier?.apiKey, "sk-one");
  assert.equal(await store.remove(() => false), false);
  assert.equal(await store.remove(everything), true);
  assert.equal(await host.read(), undefined);
});

test("who opens the same store waits for each other, and knows what was sent", async () => {
  const host = createMemoryStore();
  const [one, two] = [createHostStore(host), createHostStore(host)];
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
  await rejectsWith(createHostStore(broken).load(), "CREDENTIALS_UNREADABLE");
  await rejectsWith(createHostStore(broken).prove("sign-in"), "CREDENTIALS_UNREADABLE");
  const readable = { ...broken, read: () => Promise.resolve(undefined) };
  await rejectsWith(createHostStore(readable).update(() => KEY), "SAVE_FAILED");
  await rejectsWith(createHostStore(readable).remove(everything), "SAVE_FAILED");
  const damaged = createMemoryStore();
  await damaged.write("sk-secret");
  await rejectsWith(createHostStore(damaged).load(), "CREDENTIALS_CORRUPT");
  await createHostStore(damaged).update((current) => current ? undefined : KEY);
  assert.equal((await createHostStore(damaged).load())?.apiKey, "sk-one");
});
