import type { World } from "./world.ts";

/** Milliseconds that a change waits for questions before it: they may ask an issuer that does not answer. */
const PATIENCE_MS = 2_000;

/**
 * Gives requests that come without waiting for each other's answers the results that they would have had: a question is asked
 * after every change before it, and a change is made after every request before it.
 */
export interface AccountQueue {
  ask<T>(question: () => Promise<T>): Promise<T>;
  /** @param change is over for those who wait when it calls `done`, or ends. */
  change<T>(change: (done: () => void) => Promise<T>): Promise<T>;
}

export function createAccountQueue(world: Pick<World, "sleep">): AccountQueue {
  let changed: Promise<void> = Promise.resolve();
  let asked: Promise<unknown> = Promise.resolve();
  return {
    ask<T>(question: () => Promise<T>): Promise<T> {
      const answering = changed.then(question);
      asked = Promise.allSettled([asked, answering]);
      return answering;
    },
    change<T>(change: (done: () => void) => Promise<T>): Promise<T> {
      const before = changed;
      const questions = asked;
      let done = (): void => {};
      changed = new Promise((resolve) => done = resolve);
      const changing = before.then(async () => {
        const enough = new AbortController();
        await Promise.race([questions, world.sleep(PATIENCE_MS, enough.signal)]);
        enough.abort();
        return await change(done);
      });
      changing.then(done, done);
      return changing;
    },
  };
}
