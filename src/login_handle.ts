import type { Account } from "./account.ts";

/** What came of a sign-in. */
export interface LoginResult {
  /** Who signed in, as far as the tokens tell. */
  readonly account: Account;
  /** Where the login is kept; "host" is a store of the program's own. */
  readonly store: "file" | "keyring" | "host";
  /** Of the file; null elsewhere. */
  readonly path: string | null;
  /** What the issuer said of where the person came from, if it did. */
  readonly onboardingEntrypoint: "life_sciences" | undefined;
}

/** A sign-in under way, for a host. */
export interface LoginHandle {
  /**
   * Resolves when the login is stored and the last page is delivered; rejects with the LoginError that ended it, and then an
   * earlier login is as it was. Nobody has to look at it.
   */
  readonly done: Promise<LoginResult>;
  /** Ends it: `done` rejects with CANCELED, unless the login is being stored already. */
  cancel(): void;
}
