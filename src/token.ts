import type { Config } from "./config.ts";
import type { AuthMode, Credentials } from "./credentials/auth_file.ts";
import { describeMode } from "./credentials/mode_words.ts";
import { migrateStore } from "./credentials/migrate_store.ts";
import { openStore } from "./credentials/open_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { formatDuration } from "./duration.ts";
import { LoginError, toLoginError } from "./errors.ts";
import type { RefreshReason } from "./oauth/refresh.ts";
import { refreshLogin } from "./refresh.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";
import { judgeStored, readOverride, type SignIn } from "./sign_in.ts";
import { requireTokenWorkspace } from "./token_workspace.ts";
import { beginStory } from "./story.ts";
import { readTokenExpiry } from "./token_expiry.ts";
import type { World } from "./world.ts";

const DEFAULT_MIN_TTL_MS = 5 * 60_000;
/** A token that does not say when it expires is renewed when it is older than this. */
const SCHEDULE_MS = 8 * 24 * 3_600_000;
/** What a stored token must still be good for, in ms, to be served when the issuer cannot be asked. */
const LAST_RESORT_MS = 30_000;

/** What a program needs to make requests. `token` is a secret. */
export interface Token {
  readonly token: string;
  /** RFC 3339, UTC; null when it does not say. */
  readonly expiresAt: string | null;
  readonly accountId: string | null;
  readonly authMode: AuthMode;
  /** The token is good, but could not be saved. */
  readonly saveError: LoginError | undefined;
}

export interface TokenOptions {
  /** Milliseconds that the token must be good for at least; undefined for five minutes, if that is to be had. */
  readonly minTtlMs: number | undefined;
  /** Renews the login however good it still is. */
  readonly isForced: boolean;
  /** An access token that an API refused: a login that still holds it is renewed. */
  readonly refused?: string | undefined;
  readonly tell: (note: string) => void;
}

/**
 * A token that works now, renewed at most once when it has to be.
 *
 * @throws {LoginError} exit code 4 when somebody has to sign in, 5 when the issuer cannot be asked, 3 when the login cannot
 * be read, locked or saved.
 */
export async function obtainToken(
  caller: World,
  config: Config,
  options: TokenOptions,
): Promise<Token> {
  const world = beginStory(caller);
  const override = options.isForced ? undefined : readOverride(world, config);
  if (override) {
    const { mode, token, variable } = requireSignIn(override, `${override.variable} is no token`);
    options.tell(`${variable} is set and used instead of what is stored.`);
    if (mode === "personalAccessToken") await requireTokenWorkspace(world, config, token);
    return describe({ mode, token, accountId: null });
  }
  const store = await openStore(world, config);
  const askedAt = world.now();
  const stored = await loadMoved(world, config, store, options.tell);
  if (!stored) throw new LoginError("NOT_SIGNED_IN", "Nobody is signed in");
  requireSignIn(judgeStored(config, stored, world.now()), "Nobody is signed in");
  const reason = options.isForced ? "forced" : refreshReason(stored, options, world.now());
  if (!reason) return await serveUnrenewed(world, config, stored, options);
  try {
    // What an interrupted move from the keyring left.
    if (config.store === "file") await migrateStore(world, config, options.tell);
    const outcome = await refreshLogin(
      { world, config, store, tell: options.tell },
      stored,
      reason,
      askedAt,
    );
    // A token that could not be saved is nowhere else: it is given out even to who does not wait any more.
    if (!outcome.saveError) world.signal.throwIfAborted();
    requireSignIn(judgeStored(config, outcome.credentials, world.now()), "Nobody is signed in");
    tellLife(outcome.credentials, options, world.now());
    return { ...toToken(outcome.credentials), saveError: outcome.saveError };
  } catch (thrown) {
    const error = toLoginError(thrown);
    if (!mayServe(stored, error, options, world)) throw error;
    options.tell(`The login could not be renewed (${error.code}); the stored token still works.`);
    return toToken(stored);
  }
}

/**
 * A login in the place that is not chosen any more is moved when the chosen one has none: that costs nothing else. One that
 * works does not depend on it.
 */
async function loadMoved(
  world: World,
  config: Config,
  store: CredentialStore,
  tell: (note: string) => void,
): Promise<Credentials | undefined> {
  const stored = await store.load();
  if (stored && store.kind === wantedKind(config)) return stored;
  try {
    await migrateStore(world, config, tell);
  } catch (thrown) {
    if (!stored || world.signal.aborted) throw thrown;
    const { message, reason } = toLoginError(thrown);
    tell(`The login stays where it is: ${message}${reason === undefined ? "" : ` (${reason})`}.`);
  }
  return await store.load(tell);
}

function wantedKind({ store }: Config): CredentialStore["kind"] {
  return typeof store === "object" ? "host" : store === "file" ? "file" : "keyring";
}

/** Why the stored login has to be renewed, or undefined when it is good as it is. */
function refreshReason(
  stored: Credentials,
  { minTtlMs = DEFAULT_MIN_TTL_MS, refused }: TokenOptions,
  now: number,
): RefreshReason | undefined {
  const { mode, tokens, lastRefresh } = stored;
  if (mode !== "chatgpt" || !tokens || tokens.refresh_token === "") return undefined;
  if (tokens.access_token === "") return "proactive_expiry";
  if (tokens.access_token === refused) return "unauthorized_recovery";
  const expiry = readTokenExpiry(tokens.access_token);
  if (expiry !== undefined) return expiry <= now + minTtlMs ? "proactive_expiry" : undefined;
  const last = lastRefresh === undefined ? undefined : parseRfc3339(lastRefresh);
  return last !== undefined && last <= now - SCHEDULE_MS ? "scheduled" : undefined;
}

/** What is stored, as it is: it is good for long enough, or of a kind that is not renewed here. */
async function serveUnrenewed(
  world: World,
  config: Config,
  stored: Credentials,
  { tell }: TokenOptions,
): Promise<Token> {
  const served = toToken(stored);
  if (served.authMode === "personalAccessToken") {
    await requireTokenWorkspace(world, config, served.token);
  }
  tellLife(stored, { minTtlMs: undefined, tell }, world.now());
  return served;
}

/** A token that is good for a little longer is better than none, unless a longer life was asked for by name. */
function mayServe(
  { tokens }: Credentials,
  { exitCode }: LoginError,
  { minTtlMs, isForced, refused }: TokenOptions,
  world: Pick<World, "now" | "signal">,
): boolean {
  const isTransient = exitCode === 3 || exitCode === 5;
  if (!isTransient || isForced || minTtlMs !== undefined || world.signal.aborted) return false;
  if (!tokens || ["", refused].includes(tokens.access_token)) return false;
  return (readTokenExpiry(tokens.access_token) ?? Infinity) > world.now() + LAST_RESORT_MS;
}

function tellLife(
  { mode, tokens }: Credentials,
  { minTtlMs = 0, tell }: Pick<TokenOptions, "minTtlMs" | "tell">,
  now: number,
): void {
  const expiry = tokens && mode.startsWith("chatgpt")
    ? readTokenExpiry(tokens.access_token)
    : undefined;
  if (expiry === undefined || expiry > now + minTtlMs) return;
  tell(
    expiry > now
      ? `The issuer gives tokens for ${formatDuration(expiry - now)} only.`
      : "The token has expired already, if this computer's clock is right.",
  );
}

function toToken({ mode, apiKey, personalAccessToken, tokens }: Credentials): Token {
  const token = mode === "apikey"
    ? apiKey
    : mode === "personalAccessToken"
    ? personalAccessToken
    : tokens?.access_token;
  if (token) return describe({ mode, token, accountId: tokens?.account_id ?? null });
  throw new LoginError("NOT_SIGNED_IN", "The stored login holds no token that could be shown", {
    reason: `it is a login with ${describeMode(mode)}`,
  });
}

function describe(
  { mode, token, accountId }: { mode: AuthMode; token: string; accountId: string | null },
): Token {
  const isKey = mode === "apikey" || mode === "personalAccessToken";
  const expiry = isKey ? undefined : readTokenExpiry(token);
  return {
    token,
    expiresAt: expiry === undefined ? null : formatRfc3339(expiry),
    accountId: isKey ? null : accountId,
    authMode: mode,
    saveError: undefined,
  };
}

/** @throws {LoginError} NOT_SIGNED_IN */
function requireSignIn<S extends SignIn>(
  signIn: S,
  otherwise: string,
): S & { readonly mode: AuthMode } {
  const { mode, forbiddenBy } = signIn;
  if (forbiddenBy !== null) {
    throw new LoginError("NOT_SIGNED_IN", "The login is not allowed here", {
      reason: `it does not fit the setting ${forbiddenBy}`,
    });
  }
  if (mode === null) throw new LoginError("NOT_SIGNED_IN", otherwise);
  return { ...signIn, mode };
}
