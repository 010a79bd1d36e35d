import type { SentToken } from "./credentials/sent_mark.ts";
import { ERROR_KINDS } from "./error_kinds.ts";
import { LoginError } from "./errors.ts";

/** Those who waited while the issuer refused need not ask it again: it takes each of them two seconds, and changes nothing. */
export function refuseAgain(sent: SentToken | undefined, askedAt: number): void {
  const { refusal, wasCutOff } = sent ?? {};
  if (!refusal || refusal.at < askedAt) return;
  const { code } = refusal;
  const error = new LoginError(code, ERROR_KINDS[code].title, {
    reason: "the issuer refused it to another process a moment ago",
  });
  throw wasCutOff ? explainCutOff(error) : error;
}

/** Says that the token may be used up by a renewal of our own, whose answer nobody saved. */
export function explainCutOff({ code, message, reason, status }: LoginError): LoginError {
  return new LoginError(code, message, {
    reason: `an earlier renewal ended before its answer was saved; ${reason ?? "no reason given"}`,
    ...(status === undefined ? {} : { status }),
  });
}
