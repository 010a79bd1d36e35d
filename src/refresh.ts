import type { Config } from "./config.ts";
import { refreshedDocument } from "./credentials/auth_document.ts";
import { type Credentials, formatAuthFile, parseAuthFile } from "./credentials/auth_file.ts";
import type { SentMark, SentToken } from "./credentials/sent_mark.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { LoginError, toLoginError } from "./errors.ts";
import type { RefreshedTokens, RefreshReason } from "./oauth/refresh.ts";
import { renewTokens } from "./renewal.ts";
import { refreshableTokens } from "./refreshable_tokens.ts";
import { revokeLogin } from "./revoke_login.ts";
import { parseRfc3339 } from "./rfc3339.ts";
import { tellStep } from "./story.ts";
import { EXIT_SIGN_IN_AGAIN, explainCutOff, failAgain } from "./shared_failure.ts";
import { readTokenExpiry } from "./token_expiry.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::auth::manager";

/** Milliseconds that a newer login, saved by a program that takes no lock of ours, is looked for after a refusal. */
const ADOPTION_MS = 2_000;
const ADOPTION_PAUSE_MS = 100;
/** Milliseconds that tokens may take to be ended, which nobody can use any more. */
const REVOCATION_MS = 5_000;

export interface RefreshOutcome {
  readonly credentials: Credentials;
  /** False when another process had renewed the login, and its result is used. */
  readonly isRenewed: boolean;
  /** The new tokens could not be saved: what was stored is as it was, and its refresh token may be used up. */
  readonly saveError: LoginError | undefined;
}

/** What a refresh works on. */
interface Refresh {
  readonly world: World;
  readonly config: Config;
  readonly store: CredentialStore;
  readonly tell: (note: string) => void;
}

/**
 * Renews a stored ChatGPT login, once for all processes: whoever comes second waits, and uses what the first one saved. The
 * request is sent only when its result can be saved, and saved only over the login that it was made for.
 *
 * @param seen what the caller has found stored, and found too old.
 * @param askedAt when it began to look, in ms since the epoch.
 * @throws {LoginError} exit code 4 when signing in again is required; 5 when the issuer cannot be asked; 3 when the result
 * could not be saved, before anything was sent.
 */
export async function refreshLogin(
  refresh: Refresh,
  seen: Credentials,
  reason: RefreshReason,
  askedAt: number,
): Promise<RefreshOutcome> {
  const { world, store, tell } = refresh;
  refreshableTokens(seen);
  return await store.renewing(async (mark) => {
    const current = await store.load();
    const { kind } = store;
    if (!current || isNewer(seen, current, askedAt, world.now())) return adopt(current);
    const sent = await mark.read(refreshableTokens(current).refresh_token);
    failAgain(sent, askedAt, world.now());
    await store.prove("renewal", tell);
    world.signal.throwIfAborted();
    await world.runtime.protectMemory();
    const attempt = { mark, seen: current, kind, reason, askedAt, sent };
    return await world.hold(() => renewAndSave(refresh, attempt));
  }, tell);
}

/** One request, and all that is known before it. */
interface RefreshAttempt {
  readonly mark: SentMark;
  readonly seen: Credentials;
  /** The place that it was read from. */
  readonly kind: CredentialStore["kind"];
  readonly reason: RefreshReason;
  readonly askedAt: number;
  readonly sent: SentToken | undefined;
}

async function renewAndSave(
  refresh: Refresh,
  { mark, seen, kind, reason, askedAt, sent }: RefreshAttempt,
): Promise<RefreshOutcome> {
  const { world, store, tell } = refresh;
  const tokens = refreshableTokens(seen);
  const wasCutOff = sent?.wasCutOff ?? false;
  await mark.write(tokens.refresh_token, { wasCutOff: true, failure: undefined });
  const renewed = await renewTokens(refresh, seen, tokens, reason).catch(async (thrown) => {
    const error = toLoginError(thrown);
    const { code, exitCode, requestSent, status } = error;
    const isRefused = exitCode === EXIT_SIGN_IN_AGAIN;
    if (isRefused) {
      const newer = await waitForNewer(refresh, seen, askedAt);
      if (newer) return newer;
    }
    // A definite answer, or none because nothing was sent: the token is not on its way any more.
    const isSettled = isRefused || !requestSent || (status !== undefined && status < 500);
    const failure = { code, at: world.now() };
    await mark.write(tokens.refresh_token, { wasCutOff: wasCutOff || !isSettled, failure });
    throw isRefused && wasCutOff ? explainCutOff(error) : error;
  });
  if ("document" in renewed) return adopt(renewed);

  const at = world.now();
  const unsaved = async (saveError: LoginError): Promise<RefreshOutcome> => {
    // Those who wait must not send the token again: some issuers end all tokens of a login then.
    const failure = { code: saveError.code, at: world.now() };
    await mark.write(tokens.refresh_token, { wasCutOff: true, failure });
    world.log.write("error", TARGET, "failed to save refreshed tokens", { code: saveError.code });
    return { credentials: withTokens(seen, renewed, at) ?? seen, isRenewed: true, saveError };
  };
  let saved: Credentials | undefined;
  let current: Credentials | undefined;
  try {
    await tellStep(world, "save", () =>
      store.update(
        (stored) => {
          if (!stored || !hasSameRefreshToken(seen, stored)) return undefined;
          saved = withTokens(stored, renewed, at);
          return saved?.document;
        },
        tell,
        seen,
      ));
    if (!saved) current = await store.load();
  } catch (thrown) {
    return await unsaved(toLoginError(thrown));
  }
  if (saved) {
    await mark.clear();
    return { credentials: saved, isRenewed: true, saveError: undefined };
  }
  // What holds the token that was sent is no newer login; nor is what another place holds, when ours is out of reach.
  if (store.kind !== kind || (current && hasSameRefreshToken(seen, current))) {
    return await unsaved(
      new LoginError("SAVE_FAILED", "The renewed login could not be saved", {
        reason: store.kind === kind
          ? "another copy is in its place"
          : "its place cannot be reached any more",
      }),
    );
  }
  await mark.clear();
  if (!current) await revokeUnsaved(refresh, seen, renewed, at);
  return adopt(current);
}

function withTokens(
  { document }: Credentials,
  renewed: RefreshedTokens,
  at: number,
): Credentials | undefined {
  return parseAuthFile(formatAuthFile(refreshedDocument(document, renewed, at)));
}

/** Somebody signed out while the issuer was asked: tokens that came after that must not outlive it. */
async function revokeUnsaved(
  { world, config }: Refresh,
  seen: Credentials,
  renewed: RefreshedTokens,
  at: number,
): Promise<void> {
  const orphan = withTokens(seen, renewed, at);
  if (orphan) await revokeLogin(world, config, orphan, REVOCATION_MS);
}

/** The reference takes no lock of ours, and may have used the token a moment ago: its result is as good as ours. */
async function waitForNewer(
  { world, store }: Refresh,
  seen: Credentials,
  askedAt: number,
): Promise<Credentials | undefined> {
  const until = world.elapsed() + ADOPTION_MS;
  do {
    const current = await store.load().catch(() => undefined);
    if (current && isNewer(seen, current, askedAt, world.now())) return current;
    await world.sleep(ADOPTION_PAUSE_MS);
  } while (world.elapsed() < until);
  return undefined;
}

function adopt(credentials: Credentials | undefined): RefreshOutcome {
  if (credentials) return { credentials, isRenewed: false, saveError: undefined };
  throw new LoginError("NOT_SIGNED_IN", "Nobody is signed in any more", {
    reason: "the login was removed while it was being renewed",
  });
}

/**
 * Whether another process has stored something else since that will do: a login renewed, or another one. A clock that is
 * ahead takes even what was saved this moment for expired; renewing it once more would change nothing.
 */
function isNewer(
  seen: Credentials,
  current: Credentials,
  askedAt: number,
  now: number,
): boolean {
  const isReplaced = !hasSameRefreshToken(seen, current) ||
    seen.tokens?.access_token !== current.tokens?.access_token;
  if (!isReplaced || current.tokens?.access_token === "") return false;
  const savedAt = parseRfc3339(current.lastRefresh ?? "") ?? 0;
  return isUsable(current, now) || (savedAt >= askedAt && savedAt <= now);
}

function hasSameRefreshToken(seen: Credentials, current: Credentials): boolean {
  return current.mode === "chatgpt" &&
    current.tokens?.refresh_token === seen.tokens?.refresh_token;
}

function isUsable({ tokens }: Credentials, now: number): boolean {
  return tokens === undefined || (readTokenExpiry(tokens.access_token) ?? Infinity) > now;
}
