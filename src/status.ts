import type { Account } from "./account.ts";
import type { Config } from "./config.ts";
import type { AuthMode } from "./credentials/auth_file.ts";
import { openStore } from "./credentials/open_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { DEFAULT_ISSUER } from "./oauth/issuer.ts";
import { maskKey } from "./printable.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";
import { isJwt, judgeStored, type Override, readOverride, type SignIn } from "./sign_in.ts";
import { readTokenExpiry } from "./token_expiry.ts";
import type { World } from "./world.ts";

/** Who is signed in. All times are RFC 3339 in UTC; all text from tokens is foreign. */
export interface Status {
  readonly loggedIn: boolean;
  readonly authMode: AuthMode | null;
  readonly account: Account | null;
  readonly accessToken: { readonly expiresAt: string | null; readonly expired: boolean } | null;
  readonly lastRefresh: string | null;
  /** Masked. */
  readonly apiKey: string | null;
  /** Masked; for people only. */
  readonly personalAccessToken: string | null;
  readonly store: CredentialStore["kind"];
  /** Of the file; null in the keyring. */
  readonly path: string | null;
  readonly issuer: string | null;
  /** The environment variable that programs use instead of what is stored. */
  readonly overriddenBy: string | null;
  /** Why a stored login does not count: the settings allow another method or workspace only. */
  readonly forbiddenBy: SignIn["forbiddenBy"];
  /** What a person should know of the place where it was looked for. */
  readonly notes: readonly string[];
}

const NOBODY: Omit<Status, "store" | "path"> = {
  loggedIn: false,
  authMode: null,
  account: null,
  accessToken: null,
  lastRefresh: null,
  apiKey: null,
  personalAccessToken: null,
  issuer: null,
  overriddenBy: null,
  forbiddenBy: null,
  notes: [],
};

/**
 * Reads who is signed in. It asks nobody and changes nothing.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT, CREDENTIALS_UNREADABLE or KEYRING_UNAVAILABLE
 */
export async function readStatus(world: World, config: Config): Promise<Status> {
  const store = await openStore(world, config);
  const override = readOverride(world, config);
  if (override) {
    const own = { store: store.kind, path: store.path };
    const notes = describeUnchecked(config, override);
    return { ...NOBODY, ...own, notes, ...describeOverride(override, world.now()) };
  }
  const notes: string[] = [];
  const stored = await store.load((note) => void notes.push(note));
  const place = { store: store.kind, path: store.path, notes };
  if (!stored) return { ...NOBODY, ...place };
  const signIn = judgeStored(config, stored, world.now());
  const { isSignedIn, mode, account, forbiddenBy } = signIn;
  const tokens = account && stored.tokens;
  notes.push(...describeUnchecked(config, signIn));
  return {
    ...NOBODY,
    ...place,
    loggedIn: isSignedIn,
    authMode: mode,
    account,
    accessToken: tokens ? readExpiry(tokens.access_token, world.now()) : null,
    lastRefresh: formatLastRefresh(stored.lastRefresh),
    apiKey: mode === "apikey" ? maskKey(stored.apiKey ?? "") : null,
    personalAccessToken: mode === "personalAccessToken"
      ? maskKey(stored.personalAccessToken ?? "")
      : null,
    issuer: tokens ? tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER : null,
    forbiddenBy,
  };
}

/** What only the issuer could say, which is not asked here. */
function describeUnchecked({ forcedWorkspaceIds }: Config, { isSignedIn, mode }: SignIn): string[] {
  const isUnchecked = isSignedIn && mode === "personalAccessToken" && forcedWorkspaceIds.length > 0;
  if (!isUnchecked) return [];
  return [
    "Whether the token's workspace fits the setting forced_chatgpt_workspace_id is checked when it is used.",
  ];
}

function describeOverride(
  { isSignedIn, mode, variable, token, forbiddenBy }: Override,
  now: number,
): Partial<Status> {
  return {
    loggedIn: isSignedIn,
    authMode: mode,
    accessToken: isJwt(token) ? readExpiry(token, now) : null,
    overriddenBy: variable,
    forbiddenBy,
  };
}

function formatLastRefresh(text: string | undefined): string | null {
  const ms = text === undefined ? undefined : parseRfc3339(text);
  return ms === undefined ? null : formatRfc3339(ms);
}

/** An access token that is no JWT has no time that we could read: it counts as valid. */
function readExpiry(accessToken: string, now: number): Status["accessToken"] {
  const expiry = readTokenExpiry(accessToken);
  if (expiry === undefined) return { expiresAt: null, expired: accessToken === "" };
  return { expiresAt: formatRfc3339(expiry), expired: expiry <= now };
}
