import { LoginError, toLoginError } from "./errors.ts";

/** One try of several, all within the limit that was promised for the whole. */
export interface Try {
  /** Milliseconds before it begins. */
  readonly pauseMs: number;
  /** Milliseconds that it may take. */
  readonly limitMs: number;
}

/**
 * Sends what must not be sent twice: it is repeated only when it is certain that no byte of it left.
 *
 * @param pause waits for so many ms.
 * @param mayRepeat whether one more try makes sense, of those that could be made.
 * @param onFailure told every failure, and whether another try follows.
 * @throws {LoginError} of the last try.
 */
export async function retryUnsent<T>(
  pause: (ms: number) => Promise<void>,
  tries: readonly Try[],
  send: (limitMs: number) => Promise<T>,
  onFailure: (error: LoginError, isRepeated: boolean) => void,
  mayRepeat: (error: LoginError, next: Try) => boolean = () => true,
): Promise<T> {
  for (const [index, { pauseMs, limitMs }] of tries.entries()) {
    await pause(pauseMs);
    try {
      return await send(limitMs);
    } catch (thrown) {
      const error = toLoginError(thrown);
      // What a setting forbids, it forbids again.
      const next = tries[index + 1];
      const isRepeated = thrown instanceof LoginError && !error.requestSent &&
        error.exitCode !== 2 && next !== undefined && mayRepeat(error, next);
      onFailure(error, isRepeated);
      if (!isRepeated) throw thrown;
    }
  }
  throw new LoginError("INTERNAL", "codex-login failed unexpectedly", { reason: "no try" });
}
