import { LoginError, toLoginError } from "./errors.ts";
import type { PollAnswer } from "./oauth/poll_answer.ts";
import type { World } from "./world.ts";

/** What `slow_down` adds to the wait, this one and all after it (RFC 8628 3.5), in ms. */
const SLOW_DOWN_MS = 5_000;
/** While the issuer is out of order: each wait is twice as long as the one before, up to this, in ms. */
const MAX_BACKOFF_MS = 60_000;
/** One question, in ms. */
const POLL_MS = 30_000;
/** Of a failure that may pass: the issuer cannot be reached or does not answer. */
const EXIT_TRY_LATER = 5;

export interface Polling<T> {
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** When it is over, by the clock that only goes forward. */
  readonly deadline: number;
  /** Asks once within so many ms; what it throws ends the sign-in, but for a network error. */
  poll(limitMs: number): Promise<PollAnswer<T>>;
  /** Told every failure that is waited out. */
  onUnavailable(why: string): void;
  /** The error for the end of the time; told the failure that lasted until then. */
  expired(why: string | undefined): LoginError;
}

/**
 * Asks, at once and then after each wait, until the person is done or the time is over. An issuer that is out of order or out of
 * reach is asked again ever more seldom.
 *
 * @throws {LoginError} what `expired` makes, what `poll` throws, or the signal's reason, at once.
 */
export async function pollUntilGranted<T>(
  world: Pick<World, "sleep" | "elapsed" | "signal">,
  { intervalMs, deadline, poll, onUnavailable, expired }: Polling<T>,
): Promise<T> {
  let waitMs = intervalMs;
  let failures = 0;
  let problem: string | undefined;
  for (;;) {
    world.signal.throwIfAborted();
    const leftMs = deadline - world.elapsed();
    if (leftMs <= 0) throw expired(problem);
    const answer = await pollOrWhy(world, poll, Math.min(POLL_MS, leftMs));
    if (answer.kind === "granted") return answer.grant;
    if (answer.kind === "slow down") waitMs += SLOW_DOWN_MS;
    const isUnavailable = answer.kind === "unavailable";
    failures = isUnavailable ? failures + 1 : 0;
    problem = isUnavailable ? answer.why : undefined;
    if (isUnavailable) onUnavailable(answer.why);
    const backoffMs = Math.max(waitMs, Math.min(waitMs * 2 ** failures, MAX_BACKOFF_MS));
    const pauseMs = Math.max(backoffMs, answer.retryAfterMs);
    const restMs = deadline - world.elapsed();
    await world.sleep(Math.min(pauseMs, restMs), world.signal);
    // A timer may fire a little early: what is left then is no reason to ask sooner than the interval.
    if (pauseMs >= restMs) throw expired(problem);
  }
}

/** A network error is an answer too: that there is none. */
async function pollOrWhy<T>(
  world: Pick<World, "signal">,
  poll: Polling<T>["poll"],
  limitMs: number,
): Promise<PollAnswer<T>> {
  try {
    return await poll(limitMs);
  } catch (thrown) {
    world.signal.throwIfAborted();
    if (!(thrown instanceof LoginError)) throw toLoginError(thrown);
    if (thrown.exitCode !== EXIT_TRY_LATER) throw thrown;
    return { kind: "unavailable", why: thrown.code, retryAfterMs: 0 };
  }
}
