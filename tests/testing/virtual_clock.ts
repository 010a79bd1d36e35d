import { deferred } from "../../src/deferred.ts";
import type { World } from "../../src/world.ts";

/** Time that passes only while somebody sleeps, and then at once. */
export interface VirtualClock extends Pick<World, "now" | "elapsed" | "sleep"> {
  /** Every wait so far, in ms. */
  readonly sleeps: number[];
  /** Called before a wait begins. */
  onSleep: (ms: number) => void;
  /** From now on nobody wakes up but by the signal: for work on real files, which takes real time. */
  stop(): void;
}

export function createClock(start = Date.now()): VirtualClock {
  let elapsed = 0;
  let isStopped = false;
  const sleeps: number[] = [];
  const clock: VirtualClock = {
    sleeps,
    onSleep: () => {},
    now: () => start + elapsed,
    elapsed: () => elapsed,
    stop: () => void (isStopped = true),
    async sleep(ms, signal): Promise<void> {
      if (signal?.aborted || ms <= 0) return;
      sleeps.push(ms);
      clock.onSleep(ms);
      const aborted = deferred<void>();
      const wake = (): void => aborted.resolve();
      signal?.addEventListener("abort", wake, { once: true });
      const turned = new Promise<void>((resolve) => setTimeout(resolve, 0));
      await Promise.race([turned, aborted.promise]);
      if (isStopped) await aborted.promise;
      else if (!signal?.aborted) elapsed += ms;
      signal?.removeEventListener("abort", wake);
    },
  };
  return clock;
}
