import type { LoginError } from "./errors.ts";
import type { CodeGrant } from "./oauth/attempt.ts";
import { exchangeAuthorizationCode, type TokenSet } from "./oauth/token.ts";
import { retryUnsent } from "./retry_unsent.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::server";

/** For everything together, in ms: a code lives longer, but a person at a browser has only so much patience. */
const LIMIT_MS = 30_000;
/** A network comes back within that, in ms; the pauses grow. */
const TRIES = [0, 500, 1_500, 3_000, 5_000, 8_000].map((pauseMs) => ({
  pauseMs,
  limitMs: LIMIT_MS,
}));
/** What somebody decided does not change so soon: for that long it is tried, in ms. */
const DECIDED_MS = 5_000;
const DECIDED = /^(TLS|PROXY_(AUTH|REFUSED)$)/;
/** Less is not worth a try, in ms. */
const SHORTEST_MS = 1_000;

/**
 * Trades the code for tokens. A code works once: the request is repeated only when it is certain that nothing of it
 * reached the issuer.
 *
 * @throws {LoginError} of the last try.
 */
export async function exchangeCode(
  world: Pick<World, "fetch" | "log" | "sleep" | "signal" | "elapsed">,
  attempt: CodeGrant,
  code: string,
  onRetry: (error: LoginError) => void,
): Promise<TokenSet> {
  world.log.write("info", TARGET, "starting oauth token exchange", {
    issuer: `${attempt.issuer.base}/`,
    token_endpoint: `${attempt.issuer.base}/oauth/token`,
    redirect_uri: attempt.redirectUri,
  });
  const began = world.elapsed();
  const leftMs = (): number => LIMIT_MS - (world.elapsed() - began);
  const tokens = await retryUnsent(
    (ms) => world.sleep(ms, world.signal),
    TRIES,
    () => exchangeAuthorizationCode(world.fetch, attempt, code, leftMs(), world.signal),
    (error, isRepeated) => {
      logFailure(world, error);
      if (isRepeated) onRetry(error);
      else world.log.write("error", TARGET, "login callback token exchange failed");
    },
    ({ code: failure }, { pauseMs }) => {
      const left = DECIDED.test(failure) ? leftMs() - LIMIT_MS + DECIDED_MS : leftMs();
      return left - pauseMs >= SHORTEST_MS;
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
