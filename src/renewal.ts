import { areOfDifferentAccounts } from "./account.ts";
import { describeClockOffset } from "./clock_offset.ts";
import type { Config } from "./config.ts";
import type { Credentials, StoredTokens } from "./credentials/auth_file.ts";
import { LoginError, toLoginError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { decodeClaims, type IdTokenExpectations, validateIdToken } from "./oauth/id_token.ts";
import { DEFAULT_CLIENT_ID, DEFAULT_ISSUER, type Issuer, parseIssuer } from "./oauth/issuer.ts";
import { type RefreshedTokens, type RefreshReason, requestRefresh } from "./oauth/refresh.ts";
import { retryUnsent } from "./retry_unsent.ts";
import { describeFailure, tellStep } from "./story.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::auth::manager";

/** Milliseconds for all that is asked, however often. */
const LIMIT_MS = 20_000;
/** A try that is repeated ended in its 10 s to connect. */
const TRIES = [{ pauseMs: 0, limitMs: LIMIT_MS }, { pauseMs: 500, limitMs: 9_500 }] as const;

interface Renewal {
  readonly world: Pick<World, "fetch" | "log" | "sleep" | "now" | "elapsed">;
  readonly config: Pick<Config, "refreshEndpoint" | "originator" | "userAgent">;
  readonly tell: (note: string) => void;
}

/**
 * Asks the issuer that gave a login, which its `oauth_provenance` names, for new tokens, and checks that they are of the same
 * user. It touches nothing that is stored.
 *
 * @throws {LoginError} exit code 4 when the login cannot be renewed any more, ACCOUNT_MISMATCH, REFRESH_FAILED, or what the
 * transport throws.
 */
export async function renewTokens(
  { world, config, tell }: Renewal,
  { idTokenClaims }: Credentials,
  { oauth_provenance, refresh_token }: StoredTokens,
  reason: RefreshReason,
): Promise<RefreshedTokens> {
  const issuer = storedIssuer(oauth_provenance?.issuer ?? DEFAULT_ISSUER);
  const clientId = oauth_provenance?.client_id ?? DEFAULT_CLIENT_ID;
  world.log.hide(refresh_token);
  const endpoint = config.refreshEndpoint ?? `${issuer.base}/oauth/token`;
  const { origin, pathname } = new URL(endpoint);
  world.log.write("info", TARGET, "starting token refresh", {
    issuer: `${issuer.base}/`,
    // What somebody put into the query is theirs.
    token_endpoint: origin + pathname,
  });
  const deadline = world.elapsed() + LIMIT_MS;
  // Nothing but its own limit ends it: a Ctrl-C between the issuer's rotation and our save would lose the login.
  const renewed = await retryUnsent(
    world.sleep,
    TRIES,
    (limitMs) => {
      const until = Math.min(deadline, world.elapsed() + limitMs);
      return askForTokens(world.fetch, {
        endpoint,
        clientId,
        refreshToken: refresh_token,
        reason,
        originator: config.originator,
        userAgent: config.userAgent,
      }, () => until - world.elapsed());
    },
    (error) =>
      world.log.write("warning", TARGET, "failed to refresh token", describeFailure(error)),
  );
  world.log.write("info", TARGET, "token refresh succeeded");
  for (const token of [renewed.idToken, renewed.accessToken, renewed.refreshToken]) {
    if (token !== undefined) world.log.hide(token);
  }
  const parts = [[renewed.idToken, true], [renewed.accessToken, false]] as const;
  await tellStep(world, "token check", () => {
    for (const [token, withSubject] of parts) {
      if (token !== undefined) refuseOthers(idTokenClaims, readClaims(token), { withSubject });
    }
  });
  if (renewed.idToken === undefined) return renewed;
  const expected = { issuer, clientId, now: world.now(), answeredAt: renewed.answeredAt };
  const clockOffset = checkIdToken(renewed.idToken, expected);
  if (typeof clockOffset === "number") tell(describeClockOffset(clockOffset));
  if (!(clockOffset instanceof LoginError)) return renewed;
  // The token that was sent is used up: what is good in the answer is all that is left of the login.
  if (renewed.accessToken === undefined) throw clockOffset;
  tell(`${clockOffset.message} (${clockOffset.reason}); the earlier one is kept.`);
  return { ...renewed, idToken: undefined };
}

/** @throws {LoginError} REFRESH_REFUSED: an issuer that somebody wrote into the file must not be sent a token. */
function storedIssuer(given: string): Issuer {
  try {
    return parseIssuer(given);
  } catch (thrown) {
    throw new LoginError("REFRESH_REFUSED", "The stored login cannot be renewed", {
      reason: toLoginError(thrown).message,
      requestSent: false,
    });
  }
}

/** By how many seconds the clock is off, if that matters; or why the token is not usable. */
function checkIdToken(
  idToken: string,
  expected: IdTokenExpectations,
): number | undefined | LoginError {
  try {
    return validateIdToken(idToken, expected).clockOffset;
  } catch (thrown) {
    return new LoginError("REFRESH_FAILED", "The issuer's new ID token is not usable", {
      reason: toLoginError(thrown).reason ?? "unreadable",
    });
  }
}

/** An answer that cannot be read says nothing about the login: it may be renewed later. */
async function askForTokens(
  ...parameters: Parameters<typeof requestRefresh>
): Promise<RefreshedTokens> {
  try {
    return await requestRefresh(...parameters);
  } catch (thrown) {
    const { exitCode, reason, status } = toLoginError(thrown);
    if (exitCode !== 1) throw thrown;
    throw new LoginError("REFRESH_FAILED", "The issuer's answer is not usable", {
      ...(reason === undefined ? {} : { reason }),
      ...(status === undefined ? {} : { status }),
    });
  }
}

function refuseOthers(
  stored: JsonObject,
  renewed: JsonObject,
  options: { withSubject: boolean },
): void {
  if (!areOfDifferentAccounts(stored, renewed, options)) return;
  throw new LoginError("ACCOUNT_MISMATCH", "The issuer answered with tokens of another account", {
    reason: "they were not saved",
  });
}

/** An access token need not be a JWT. */
function readClaims(accessToken: string): JsonObject {
  try {
    return decodeClaims(accessToken);
  } catch {
    return {};
  }
}
