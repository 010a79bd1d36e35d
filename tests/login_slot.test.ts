import assert from "node:assert/strict";
import { test } from "node:test";
import type { SavedLogin } from "../src/accept_tokens.ts";
import { type Deferred, deferred } from "../src/deferred.ts";
import { LoginError, toLoginError } from "../src/errors.ts";
import { createLoginSlot, type LoginSlot } from "../src/login_slot.ts";
import type { StartedLogin } from "../src/started_login.ts";
import type { World } from "../src/world.ts";
import { createWorld } from "./testing/world.ts";

const LOGIN: SavedLogin = {
  account: {
    email: "ada@example.com",
    plan: "plus",
    accountId: null,
    userId: null,
    workspaceName: null,
  },
  store: "host",
  path: null,
  onboardingEntrypoint: undefined,
};

/** Logins that are ended when a test says so, or by their signal, and what was told of them. */
function createLogins(slot: LoginSlot): {
  told: string[];
  ids: Map<string, string>;
  saved: Map<string, Deferred<SavedLogin>>;
  start(name: string, options?: { holdsOn?: boolean; fails?: boolean }): Promise<void>;
} {
  const told: string[] = [];
  const ids = new Map<string, string>();
  const saved = new Map<string, Deferred<SavedLogin>>();
  return {
    told,
    ids,
    saved,
    start: (name, { holdsOn = false, fails = false } = {}) =>
      slot.start(
        ({ signal }: World): Promise<StartedLogin> => {
          if (fails) return Promise.reject(new LoginError("PORT_BUSY", "busy"));
          const own = deferred<SavedLogin>();
          own.promise.catch(() => {});
          saved.set(name, own);
          const cancel = (reason: unknown): void => void (holdsOn || own.reject(reason));
          signal.addEventListener("abort", () => cancel(signal.reason));
          if (signal.aborted) cancel(signal.reason);
          return Promise.resolve({
            saved: own.promise,
            ended: own.promise.then(() => {}, () => {}),
            cancel,
          });
        },
        (id) => {
          ids.set(name, id);
          told.push(`${name} started`);
        },
        (id, { error }) => {
          assert.equal(id, ids.get(name));
          told.push(`${name} ${error?.code ?? "stored"}`);
        },
      ),
  };
}

test("a new login takes the place of the one before, whose end comes first", async () => {
  const slot = createLoginSlot(await createWorld());
  const logins = createLogins(slot);
  await logins.start("one");
  assert.match(
    logins.ids.get("one") ?? "",
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  assert.equal(slot.pendingId(), logins.ids.get("one"));
  await logins.start("two");
  assert.deepEqual(logins.told, ["one started", "one SUPERSEDED", "two started"]);
  assert.equal(slot.pendingId(), logins.ids.get("two"));
  logins.saved.get("two")?.resolve(LOGIN);
  await slot.idle();
  assert.equal(logins.told.at(-1), "two stored");
  assert.equal(slot.pendingId(), undefined);
});

test("of many at once the last one stays, and each is told of one end at most", async () => {
  const slot = createLoginSlot(await createWorld());
  const logins = createLogins(slot);
  const names = Array.from({ length: 20 }, (_, i) => `login ${i}`);
  const outcomes = await Promise.allSettled(names.map((name) => logins.start(name)));
  const begun = names.filter((_, i) => outcomes[i]?.status === "fulfilled");
  assert.ok(begun.includes("login 19"));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") {
      assert.equal(toLoginError(outcome.reason).code, "SUPERSEDED");
    }
  }
  for (const name of begun) {
    const own = logins.told.filter((line) => line.startsWith(`${name} `));
    assert.deepEqual(own, [
      `${name} started`,
      ...name === "login 19" ? [] : [`${name} SUPERSEDED`],
    ]);
  }
  await slot.cancel(logins.ids.get("login 19") ?? "", (isCanceled) => assert.ok(isCanceled));
});

test("a login is cancelled once; one that is being stored goes on", async () => {
  const slot = createLoginSlot(await createWorld());
  const logins = createLogins(slot);
  const cancel = async (id = ""): Promise<string> => {
    await slot.cancel(id, (isCanceled) => logins.told.push(isCanceled ? "canceled" : "not found"));
    return logins.told.at(-1) ?? "";
  };
  assert.equal(await cancel("unknown"), "not found");
  await logins.start("one");
  const canceling = cancel(logins.ids.get("one"));
  await canceling;
  assert.deepEqual(logins.told.slice(-3), ["one started", "canceled", "one CANCELED"]);
  assert.equal(await cancel(logins.ids.get("one")), "not found");

  await logins.start("two", { holdsOn: true });
  const late = cancel(logins.ids.get("two"));
  logins.saved.get("two")?.resolve(LOGIN);
  await late;
  assert.deepEqual(logins.told.slice(-3), ["two started", "not found", "two stored"]);
});

test("what is done exclusively ends the login before, and is done whatever follows", async () => {
  const slot = createLoginSlot(await createWorld());
  const logins = createLogins(slot);
  await logins.start("one");
  const work = slot.exclusively(() => Promise.resolve(logins.told.push("worked")));
  const two = logins.start("two");
  await Promise.all([work, two]);
  assert.deepEqual(logins.told, ["one started", "one SUPERSEDED", "worked", "two started"]);
  await assert.rejects(slot.exclusively(() => Promise.reject(new Error("no"))), /no/);
  await slot.idle();
});

test("a login that cannot begin leaves the place free", async () => {
  const slot = createLoginSlot(await createWorld());
  const logins = createLogins(slot);
  await assert.rejects(logins.start("one", { fails: true }), /busy/);
  assert.equal(slot.pendingId(), undefined);
  await logins.start("two");
  assert.deepEqual(logins.told, ["two started"]);
});

test("the end of the program ends the login with its reason", async () => {
  const world = await createWorld();
  const slot = createLoginSlot(world);
  const logins = createLogins(slot);
  await logins.start("one");
  world.end(new LoginError("TERMINATED", "Cancelled by SIGTERM"));
  await slot.idle();
  assert.equal(logins.told.at(-1), "one TERMINATED");
});
