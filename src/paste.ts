import type { LoginOutcome } from "./login_outcome.ts";
import type { LoginAttempt } from "./oauth/attempt.ts";
import { validateAuthorizationResponse } from "./oauth/authorization.ts";
import { MAX_PASTED_LENGTH, readPastedResponse } from "./oauth/pasted_response.ts";
import type { Log } from "./world.ts";

const TARGET = "codex_login::paste";

/** What became of a paste: the login goes on with it, or waits on and says why. */
export type PasteOutcome =
  | { readonly isTaken: true }
  | { readonly isTaken: false; readonly why: string };

export type Paste = (pasted: string) => Promise<PasteOutcome>;

/**
 * Takes the redirect address as a person pastes it, by the rules of a callback: the state decides whose it is. Only a bare code
 * has none: the issuer decides, and a refusal ends nothing. What looks like the beginning of an address is kept for the next
 * paste, since terminals and people break lines.
 */
export function createPaste(
  attempt: LoginAttempt,
  { settle, tryCode }: Pick<LoginOutcome, "settle" | "tryCode">,
  log: Log,
): Paste {
  let beginning = "";

  async function judge(pasted: string): Promise<PasteOutcome> {
    const found = readPastedResponse(pasted);
    if (found.kind === "unusable") return refuse(`That cannot be used: ${found.reason}.`);
    if (found.kind === "code") {
      log.write("info", TARGET, "received a pasted code", { has_code: true, has_state: false });
      log.hide(found.code);
      return await tryCode(found.code)
        ? { isTaken: true }
        : refuse("The issuer does not know that code for this sign-in; use the newest page.");
    }
    const { parameters } = found;
    const response = await validateAuthorizationResponse(parameters, attempt);
    log.write("info", TARGET, "received a pasted address", {
      has_code: parameters.has("code"),
      has_state: parameters.has("state"),
      has_error: parameters.has("error"),
      state_valid: response.kind !== "foreign",
    });
    if (response.kind !== "foreign") {
      void settle(response);
      return { isTaken: true };
    }
    if (response.reason === "repeated parameter") {
      return refuse("That cannot be used: a part of the address is there twice.");
    }
    return refuse(
      parameters.has("state")
        ? "That address belongs to another sign-in, perhaps to an older try; use the newest page."
        : "That cannot be used: the address has no state; copy the whole of it.",
    );
  }

  return async (pasted) => {
    const isAddress = pasted.includes("?");
    if (beginning !== "" && !isAddress) {
      const whole = `${beginning}\n${pasted}`.slice(0, MAX_PASTED_LENGTH);
      const outcome = await judge(whole);
      if (outcome.isTaken) return outcome;
      beginning = whole;
    }
    const outcome = await judge(pasted);
    if (isAddress) beginning = pasted.slice(0, MAX_PASTED_LENGTH);
    return outcome;
  };
}

function refuse(why: string): PasteOutcome {
  return { isTaken: false, why };
}
