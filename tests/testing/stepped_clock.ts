import type { World } from "../../src/world.ts";

/** Time that goes on only when it is told to. */
export interface SteppedClock extends Pick<World, "now" | "elapsed" | "sleep"> {
  /** Lets so many ms pass, and whoever slept do what they do then. */
  advance(ms: number): Promise<void>;
}

export function createSteppedClock(start = Date.UTC(2026, 0, 1)): SteppedClock {
  let time = 0;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  /** Everything that is ready to run runs. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => start + time,
    elapsed: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        const sleeper = { at: time + ms, wake };
        function wake(): void {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        }
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake);
      }),
    async advance(ms): Promise<void> {
      const end = time + ms;
      await settle();
      for (;;) {
        const [next] = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        time = Math.max(time, next.at);
        next.wake();
        await settle();
      }
      time = end;
      await settle();
    },
  };
}
