import type { Account } from "./account.ts";
import { deferred } from "./deferred.ts";
import { type LoginError, toLoginError } from "./errors.ts";
import type { AuthorizationResponse } from "./oauth/authorization.ts";

/** A login that is on the disk. */
export interface CompletedLogin {
  readonly account: Account;
  /** The issuer's own page for an organization that is not set up yet. It holds a token. */
  readonly setupUrl: string | undefined;
  readonly onboardingEntrypoint: "life_sciences" | undefined;
}

export type Decision =
  | { readonly kind: "saved"; readonly login: CompletedLogin }
  | { readonly kind: "ended"; readonly error: LoginError };

/** A response that belongs to this attempt. */
export type OwnResponse = Exclude<AuthorizationResponse, { kind: "foreign" }>;

/** What becomes of one login attempt. The first right response, or whatever ended it, decides. */
export interface LoginOutcome {
  /** Resolves when the login is saved, rejects with the LoginError that ended it. */
  readonly completed: Promise<CompletedLogin>;
  /** Decides, or tells what was decided before: the code is used once. Never rejects. */
  settle(response: OwnResponse): Promise<Decision>;
  /**
   * Tries a code that nobody vouches for. The issuer's refusal decides nothing: false, and the login waits on. A right response
   * that comes meanwhile waits for that.
   */
  tryCode(code: string): Promise<boolean>;
  /** Ends a login that still waits. Once the right response came it is too late, and the login goes on. */
  end(error: LoginError): boolean;
}

/** @param complete exchanges the code and saves the login. Called once at most; rejects with a LoginError. */
export function createLoginOutcome(
  complete: (code: string) => Promise<Omit<CompletedLogin, "onboardingEntrypoint">>,
): LoginOutcome {
  const { promise: completed, resolve, reject } = deferred<CompletedLogin>();
  completed.catch(() => {});
  let decision: Promise<Decision> | undefined;
  /** What the code that was tried last came to; undefined when it was refused. */
  let trial: Promise<Decision | undefined> = Promise.resolve(undefined);

  async function decide(response: OwnResponse): Promise<Decision> {
    try {
      if (response.kind === "error") throw response.error;
      const { code, onboardingEntrypoint } = response;
      return { kind: "saved", login: { ...await complete(code), onboardingEntrypoint } };
    } catch (thrown) {
      return { kind: "ended", error: toLoginError(thrown) };
    }
  }

  function announce(deciding: Promise<Decision>): Promise<Decision> {
    decision = deciding;
    deciding.then((decided) =>
      decided.kind === "saved" ? resolve(decided.login) : reject(decided.error)
    );
    return deciding;
  }

  async function tryUnlessDecided(code: string): Promise<Decision | undefined> {
    const decided = await decide({ kind: "code", code, onboardingEntrypoint: undefined });
    const isRefused = decided.kind === "ended" && decided.error.code === "TOKEN_ENDPOINT" &&
      decided.error.status === 400;
    return isRefused ? undefined : decided;
  }

  return {
    completed,
    settle: (response) => decision ?? announce(trial.then((tried) => tried ?? decide(response))),
    async tryCode(code): Promise<boolean> {
      if (decision) return true;
      const own = trial.then((tried) => tried ?? tryUnlessDecided(code));
      trial = own;
      const tried = await own;
      if (tried && !decision) announce(Promise.resolve(tried));
      return tried !== undefined;
    },
    end(error): boolean {
      if (decision) return false;
      announce(trial.then((tried) => tried ?? { kind: "ended", error }));
      return true;
    },
  };
}
