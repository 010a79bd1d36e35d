import type { SentToken } from "./credentials/sent_mark.ts";
import { ERROR_KINDS } from "./error_kinds.ts";
import { LoginError } from "./errors.ts";

/** The exit codes of a refresh that the issuer has refused for good, of one that may succeed later, and of one that was not saved. */
export const EXIT_SIGN_IN_AGAIN = 4;
const EXIT_TRY_LATER = 5;
const EXIT_NOT_SAVED = 3;

/**
 * Ends those who waited while another process asked in vain: asking again takes each of them as long, and gives the same.
 * Whoever asks later asks the issuer anew.
 *
 * @param askedAt when this process was asked, and `now`: both in ms since the epoch.
 * @throws {LoginError} with the code of the other process's error; this one has sent nothing.
 */
export function failAgain(sent: SentToken | undefined, askedAt: number, now: number): void {
  const { failure, wasCutOff } = sent ?? {};
  // What seems to come from the future says only that somebody has set the clock back.
  if (!failure || failure.at <= askedAt || failure.at > now) return;
  const { exit, title } = ERROR_KINDS[failure.code];
  const requestSent = false;
  if (exit === EXIT_TRY_LATER) {
    throw new LoginError(failure.code, title, {
      reason: "another process asked the issuer a moment ago, with this result",
      requestSent,
    });
  }
  if (exit === EXIT_NOT_SAVED) {
    throw new LoginError(failure.code, title, {
      reason: "another process renewed the login a moment ago, and could not save it",
      requestSent,
    });
  }
  if (exit !== EXIT_SIGN_IN_AGAIN) return;
  const error = new LoginError(failure.code, title, {
    reason: "the issuer refused it to another process a moment ago",
    requestSent,
  });
  throw wasCutOff ? explainCutOff(error) : error;
}

/** Says that the token may be used up by a renewal of our own, whose answer nobody saved. */
export function explainCutOff(
  { code, message, reason, hint, requestSent, status }: LoginError,
): LoginError {
  return new LoginError(code, message, {
    reason: `an earlier renewal ended before its answer was saved; ${reason ?? "no reason given"}`,
    hint,
    requestSent,
    ...(status === undefined ? {} : { status }),
  });
}
