import type { LoginError } from "./errors.ts";
import type { CodeGrant } from "./oauth/attempt.ts";
import { exchangeAuthorizationCode, type TokenSet } from "./oauth/token.ts";
import { retryUnsent } from "./retry_unsent.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::server";

/** Limits of the tries and the pauses before them, in ms: 30 s in all, since a try that is repeated ended in its 10 s to connect. */
const TRIES = [
  { pauseMs: 0, limitMs: 30_000 },
  { pauseMs: 500, limitMs: 19_000 },
  { pauseMs: 1_500, limitMs: 8_000 },
] as const;

/**
 * Trades the code for tokens. A code works once: the request is repeated only when it is certain that nothing of it
 * reached the issuer.
 *
 * @throws {LoginError} of the last try.
 */
export async function exchangeCode(
  world: Pick<World, "fetch" | "log" | "sleep" | "signal">,
  attempt: CodeGrant,
  code: string,
  onRetry: (error: LoginError) => void,
): Promise<TokenSet> {
  world.log.write("info", TARGET, "starting oauth token exchange", {
    issuer: `${attempt.issuer.base}/`,
    token_endpoint: `${attempt.issuer.base}/oauth/token`,
    redirect_uri: attempt.redirectUri,
  });
  const tokens = await retryUnsent(
    (ms) => world.sleep(ms, world.signal),
    TRIES,
    (limitMs) => exchangeAuthorizationCode(world.fetch, attempt, code, limitMs, world.signal),
    (error, isRepeated) => {
      logFailure(world, error);
      if (isRepeated) onRetry(error);
      else world.log.write("error", TARGET, "login callback token exchange failed");
    },
  );
  world.log.write("info", TARGET, "oauth token exchange succeeded");
  return tokens;
}

function logFailure({ log }: Pick<World, "log">, { code, status, requestSent }: LoginError): void {
  if (status !== undefined) {
    log.write("warning", TARGET, "oauth token exchange returned non-success status", { status });
  } else {
    log.write("error", TARGET, "oauth token exchange transport failure", {
      is_timeout: code.endsWith("_TIMEOUT"),
      is_connect: !requestSent,
      code,
    });
  }
}
