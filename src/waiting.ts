import type { CallbackServer } from "./callback_server.ts";
import { formatDuration } from "./duration.ts";
import { LoginError } from "./errors.ts";
import type { CompletedLogin } from "./login_outcome.ts";
import type { World } from "./world.ts";

/** Milliseconds for the browser to fetch the last page, and for a person to go on to the set-up. */
export const PAGE_MS = 1_000;
const SETUP_MS = 15_000;
/** Milliseconds for what follows the save. */
const FOLLOW_UP_MS = 5_000;

type WaitingWorld = Pick<World, "sleep" | "signal" | "log" | "elapsed">;

/** The time limit and the signals end a login only while it waits: once the right callback came, it is seen through. */
export async function waitForCompletion(
  world: WaitingWorld,
  server: CallbackServer,
  timeoutMs: number,
): Promise<CompletedLogin> {
  const done = new AbortController();
  const interrupt = (): void => void server.end(world.signal.reason);
  world.signal.addEventListener("abort", interrupt, { once: true });
  if (world.signal.aborted) interrupt();
  if (timeoutMs > 0) {
    world.sleep(timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return;
      const limit = formatDuration(timeoutMs);
      server.end(new LoginError("LOGIN_TIMEOUT", `Nobody completed the sign-in within ${limit}`));
    });
  }
  try {
    return await server.completed;
  } finally {
    done.abort();
    world.signal.removeEventListener("abort", interrupt);
  }
}

/** Until the last page was delivered, also when the program is to end; and until the person went on to the set-up, if there is one. */
export async function waitForPage(
  world: WaitingWorld,
  server: CallbackServer,
  hasSetup: boolean,
): Promise<void> {
  const began = world.elapsed();
  const isServed = await within(world, PAGE_MS, server.pageServed);
  world.log.write("info", "codex_login::story", `page delivery ${isServed ? "done" : "unseen"}`, {
    duration_ms: Math.round(world.elapsed() - began),
  });
  if (isServed && hasSetup) await within(world, SETUP_MS, server.setupFollowed, world.signal);
}

/** A signal ends its requests; a write that has begun is seen through, so that nothing half-written is left. */
export async function waitForFollowUp(
  world: WaitingWorld,
  followUp: Promise<void>,
  note: (message: string) => void,
): Promise<void> {
  if (await within(world, FOLLOW_UP_MS, followUp)) return;
  note("Some of what follows a sign-in took too long and was left undone.");
}

/** Whether it came to its end before the time did, or before the signal. */
export async function within(
  world: Pick<World, "sleep">,
  ms: number,
  work: Promise<void>,
  signal?: AbortSignal,
): Promise<boolean> {
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([done.signal, signal]) : done.signal;
  const isDone = await Promise.race([
    work.then(() => true),
    world.sleep(ms, stop).then(() => false),
  ]);
  done.abort();
  return isDone;
}
