import type { Config } from "./config.ts";
import { refreshedDocument } from "./credentials/auth_document.ts";
import { type Credentials, formatAuthFile, parseAuthFile } from "./credentials/auth_file.ts";
import type { SentMark } from "./credentials/sent_mark.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { LoginError, toLoginError } from "./errors.ts";
import type { RefreshedTokens, RefreshReason } from "./oauth/refresh.ts";
import { renewTokens } from "./renewal.ts";
import { explainCutOff, refuseAgain } from "./refusal.ts";
import { revokeLogin } from "./revoke_login.ts";
import { readTokenExpiry } from "./token_expiry.ts";
import type { World } from "./world.ts";

/** Milliseconds that a newer login, saved by a program that takes no lock of ours, is looked for after a refusal. */
const ADOPTION_MS = 2_000;
const ADOPTION_PAUSE_MS = 100;
const EXIT_SIGN_IN_AGAIN = 4;
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
 * @throws {LoginError} exit code 4 when signing in again is required; 5 when the issuer cannot be asked; 3 when the result
 * could not be saved, before anything was sent.
 */
export async function refreshLogin(
  refresh: Refresh,
  seen: Credentials,
  reason: RefreshReason,
): Promise<RefreshOutcome> {
  const { world, store, tell } = refresh;
  refreshableTokens(seen);
  const askedAt = world.now();
  return await store.renewing(async (mark) => {
    const current = await store.load();
    if (!current || (isReplaced(seen, current) && isUsable(current, world.now()))) {
      return adopt(current);
    }
    refreshableTokens(current);
    await store.prove("renewal", tell);
    world.signal.throwIfAborted();
    await world.runtime.protectMemory();
    return await world.hold(() => renewAndSave(refresh, mark, current, reason, askedAt));
  }, tell);
}

async function renewAndSave(
  refresh: Refresh,
  mark: SentMark,
  seen: Credentials,
  reason: RefreshReason,
  askedAt: number,
): Promise<RefreshOutcome> {
  const { world, store, tell } = refresh;
  const { kind } = store;
  const tokens = refreshableTokens(seen);
  const sent = await mark.read(tokens.refresh_token);
  const wasCutOff = sent?.wasCutOff ?? false;
  refuseAgain(sent, askedAt);
  await mark.write(tokens.refresh_token, { wasCutOff: true, refusal: undefined });
  const renewed = await renewTokens(refresh, seen, tokens, reason).catch(async (thrown) => {
    const error = toLoginError(thrown);
    const { code, exitCode, requestSent, status } = error;
    if (exitCode === EXIT_SIGN_IN_AGAIN) {
      const newer = await waitForNewer(refresh, seen);
      if (newer) return newer;
      const refusal = { code, at: world.now() };
      await mark.write(tokens.refresh_token, { wasCutOff, refusal });
      throw wasCutOff ? explainCutOff(error) : error;
    }
    // A definite answer, or none because nothing was sent: the token is not on its way any more.
    const isSettled = !requestSent || (status !== undefined && status < 500);
    if (isSettled && !wasCutOff) await mark.clear();
    throw error;
  });
  if ("document" in renewed) return adopt(renewed);

  const at = world.now();
  const unsaved = (saveError: LoginError): RefreshOutcome => ({
    credentials: withTokens(seen, renewed, at) ?? seen,
    isRenewed: true,
    saveError,
  });
  let saved: Credentials | undefined;
  let current: Credentials | undefined;
  try {
    await store.update(
      (stored) => {
        if (!stored || !hasSameRefreshToken(seen, stored)) return undefined;
        saved = withTokens(stored, renewed, at);
        return saved?.document;
      },
      tell,
      seen,
    );
    if (!saved) current = await store.load();
  } catch (thrown) {
    return unsaved(toLoginError(thrown));
  }
  if (saved) {
    await mark.clear();
    return { credentials: saved, isRenewed: true, saveError: undefined };
  }
  // What holds the token that was sent is no newer login; nor is what another place holds, when ours is out of reach.
  if (store.kind !== kind || (current && hasSameRefreshToken(seen, current))) {
    return unsaved(
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
): Promise<Credentials | undefined> {
  const until = world.elapsed() + ADOPTION_MS;
  do {
    const current = await store.load().catch(() => undefined);
    if (current && isReplaced(seen, current) && isUsable(current, world.now())) return current;
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

/** The tokens of a login that can be renewed. @throws {LoginError} NOT_SIGNED_IN or REFRESH_REFUSED */
function refreshableTokens(
  { mode, tokens }: Credentials,
): NonNullable<Credentials["tokens"]> {
  if (mode !== "chatgpt" || !tokens) {
    throw new LoginError("REFRESH_REFUSED", "This login cannot be renewed", {
      reason: mode === "chatgptAuthTokens"
        ? "another program gave its tokens, and renews them"
        : "only a ChatGPT login has tokens that are renewed",
    });
  }
  if (tokens.refresh_token !== "") return tokens;
  throw new LoginError("NOT_SIGNED_IN", "The stored login cannot be renewed", {
    reason: "it has no refresh token",
  });
}

/** Whether another process has stored something else since: a login renewed, or another one. */
function isReplaced(seen: Credentials, current: Credentials | undefined): boolean {
  return !current || !hasSameRefreshToken(seen, current) ||
    seen.tokens?.access_token !== current.tokens?.access_token;
}

function hasSameRefreshToken(seen: Credentials, current: Credentials): boolean {
  return current.mode === "chatgpt" &&
    current.tokens?.refresh_token === seen.tokens?.refresh_token;
}

function isUsable({ tokens }: Credentials, now: number): boolean {
  if (tokens?.access_token === "") return false;
  return tokens === undefined || (readTokenExpiry(tokens.access_token) ?? Infinity) > now;
}
