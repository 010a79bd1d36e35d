import * as v from "valibot";
import { LoginError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { isSemanticVersion } from "./semantic_version.ts";
import { VERSION } from "./version.ts";
import type { World } from "./world.ts";

/** The only address besides an issuer's that is ever asked, and only when a person says so. */
export const LATEST_VERSION_URL = "https://registry.npmjs.org/codex-login/latest";

const LIMIT_MS = 15_000;
const JSON_LIMITS = { maxLength: 1 << 20, maxDepth: 32 };

/** All else that it tells is not looked at. */
const Manifest = v.object({
  name: v.literal("codex-login"),
  version: v.pipe(v.string(), v.check(isSemanticVersion)),
});

/**
 * Asks the npm registry which version is the latest. It learns our own version, and nothing of the login.
 *
 * @throws {LoginError} NETWORK and its kin
 */
export async function requestLatestVersion(
  { fetch, signal }: Pick<World, "fetch" | "signal">,
): Promise<
  string
> {
  const headers = { accept: "application/json", "user-agent": `codex-login/${VERSION}` };
  let answer: { status: number; text: string };
  try {
    const response = await fetch(LATEST_VERSION_URL, {
      headers,
      signal,
      limitMs: LIMIT_MS,
      redirect: "manual",
    });
    answer = { status: response.status, text: await response.text() };
  } catch (thrown) {
    throw thrown instanceof LoginError ? aboutRegistry(thrown) : unusable("it cannot be read");
  }
  if (answer.status === 404) throw unusable("nothing is published there (HTTP 404)");
  if (answer.status !== 200) throw unusable(`HTTP ${answer.status}`);
  let document: unknown;
  try {
    document = parseJson(answer.text, JSON_LIMITS);
  } catch {
    throw unusable("it is not JSON");
  }
  const parsed = v.safeParse(Manifest, document);
  if (!parsed.success) throw unusable("it names no version of codex-login");
  return parsed.output.version;
}

/** The transport takes everybody for an issuer. */
function aboutRegistry(error: LoginError): LoginError {
  if (error.code === "RESPONSE_TOO_LARGE" || error.code === "TOKEN_RESPONSE_INVALID") {
    return unusable(error.reason ?? "it is too large");
  }
  if (!error.message.startsWith("The issuer")) return error;
  return new LoginError(error.code, error.message.replace(/^The issuer/, "The registry"), {
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    hint: error.hint,
    requestSent: error.requestSent,
  });
}

function unusable(reason: string): LoginError {
  return new LoginError("NETWORK", "The registry's answer is not usable", {
    reason,
    hint: "run the command again in a while",
  });
}
