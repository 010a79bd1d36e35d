import type { ErrorCode } from "./error_kinds.ts";
import { type LoginError, toLoginError } from "./errors.ts";
import { readErrorCode, readRequestId } from "./oauth/error_response.ts";
import { querySecrets } from "./redaction.ts";
import { type Fetch, type Log, type LogFields, SILENT_LOG, type World } from "./world.ts";

const TARGET = "codex_login::story";

/** RFC 4648's, in lower case: nothing that is mistaken for something else when it is read aloud or typed off a picture. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 8;

/** What an attempt goes through. The log tells how long each took. */
export type Step =
  | "store check"
  | "listening"
  | "browser start"
  | "token exchange"
  | "token check"
  | "save"
  | "api key save"
  | "removal";

/**
 * A World for one attempt, be it a sign-in, a renewal or a logout: each line that is logged in it carries the attempt's id, and
 * each request is told with its outcome. One that is for an attempt already stays as it is, and so does one without a log.
 */
export function beginStory<W extends Pick<World, "log" | "fetch" | "elapsed" | "randomBytes">>(
  world: W,
): W {
  const { log: all } = world;
  if (all === SILENT_LOG || all.attempt !== undefined) return world;
  const attempt = createAttemptId(world.randomBytes);
  const log: Log = {
    attempt,
    write: (level, target, message, fields) =>
      all.write(level, target, message, { ...fields, attempt }),
    hide: all.hide,
  };
  return { ...world, log, fetch: tellRequests(world.fetch, log, world.elapsed) };
}

function createAttemptId(randomBytes: World["randomBytes"]): string {
  return [...randomBytes(ID_LENGTH)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join(
    "",
  );
}

/** Does one step, and tells the log how long it took and, if it failed, why. */
export async function tellStep<T>(
  { log, elapsed }: Pick<World, "log" | "elapsed">,
  step: Step,
  work: () => T | Promise<T>,
): Promise<T> {
  const began = elapsed();
  const took = (): LogFields => ({ duration_ms: Math.round(elapsed() - began) });
  try {
    const result = await work();
    log.write("info", TARGET, `${step} done`, took());
    return result;
  } catch (thrown) {
    const error = toLoginError(thrown);
    log.write("warning", TARGET, `${step} failed`, { ...describeFailure(error), ...took() });
    throw thrown;
  }
}

/** Whose reason is in our own words, besides those about files and the network. */
const OWN_WORDS: ReadonlySet<ErrorCode> = new Set([
  "ID_TOKEN_INVALID",
  "TOKEN_RESPONSE_INVALID",
  "PORT_BUSY",
  "PORT_FORBIDDEN",
  "INTERNAL",
]);

/** What the log may hold of an error: the issuer's own sentences are left out. */
export function describeFailure({ code, exitCode, reason, status }: LoginError): LogFields {
  const isOurs = status === undefined &&
    (exitCode === 3 || exitCode === 5 || OWN_WORDS.has(code));
  return {
    code,
    ...(status === undefined ? {} : { status }),
    ...(isOurs && reason !== undefined ? { cause: reason } : {}),
  };
}

/** Tells each request: where it went, without the query, and what came of it. The same refusal again, as in polling, is not told. */
function tellRequests(fetch: Fetch, log: Log, elapsed: World["elapsed"]): Fetch {
  const refusals = new Map<string, string>();
  return async (address, init) => {
    const { origin, pathname } = new URL(address);
    // The issuer may repeat them.
    for (const secret of querySecrets(address)) log.hide(secret);
    const endpoint = origin + pathname;
    const began = elapsed();
    const took = (): LogFields => ({ duration_ms: Math.round(elapsed() - began) });
    try {
      const response = await fetch(address, init);
      const { status } = response;
      const requestId = readRequestId(response.headers);
      // A HEAD asks only whether somebody is there.
      const isFine = response.ok || init.method === "HEAD";
      const errorCode = isFine ? undefined : await readErrorCode(response.clone());
      const refusal = isFine ? "" : `${status} ${errorCode}`;
      const isRepeated = refusal !== "" && refusals.get(endpoint) === refusal;
      refusals.set(endpoint, refusal);
      if (!isRepeated) {
        log.write(isFine ? "info" : "warning", TARGET, "request answered", {
          endpoint,
          status,
          ...(errorCode === undefined ? {} : { error_code: errorCode }),
          ...(requestId === undefined ? {} : { request_id: requestId }),
          ...took(),
        });
      }
      return response;
    } catch (thrown) {
      // Who gave it up knows why.
      if (!init.signal?.aborted) {
        const failure = describeFailure(toLoginError(thrown));
        log.write("warning", TARGET, "request failed", { endpoint, ...failure, ...took() });
      }
      throw thrown;
    }
  };
}
