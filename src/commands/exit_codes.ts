import { ERROR_KINDS } from "../error_kinds.ts";

/** What a code means whatever the command is. */
export const USAGE = "wrong usage or settings";
export const STORE = "credentials cannot be read or written";
export const UNREACHABLE = "the issuer cannot be reached or did not answer in time";
export const UNWRITABLE = "the output cannot be written";

/** Of every command, behind its own. */
export const COMMON_EXITS: ReadonlyArray<readonly [codes: string, meaning: string]> = [
  [String(ERROR_KINDS.INTERNAL.exit), "a bug"],
  ["129/130/143", "ended by SIGHUP, SIGINT, SIGTERM (0 when the login was already saved)"],
];

/** What each exit code means; README and tests hold the same list. */
export const EXIT_CODES: ReadonlyArray<readonly [codes: string, meaning: string]> = [
  ["0", "done (logout: also when nothing was stored, or only the revocation failed)"],
  ["1", "the sign-in failed; status: nobody is signed in; doctor: something fails"],
  ["2", USAGE],
  ["3", STORE],
  ["4", "signing in (again) is required (token, refresh)"],
  ["5", UNREACHABLE],
  ["6", "nobody completed the sign-in in time"],
  ...COMMON_EXITS,
];
