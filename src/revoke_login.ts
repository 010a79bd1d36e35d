import type { Config } from "./config.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { DEFAULT_CLIENT_ID, DEFAULT_ISSUER, parseIssuer } from "./oauth/issuer.ts";
import { revokeToken } from "./oauth/revocation.ts";
import { describeFailure } from "./story.ts";
import type { World } from "./world.ts";

/** What became of a revocation. It never decides whether the local login goes away. */
export type Revocation =
  | { readonly kind: "revoked" }
  | { readonly kind: "nothing to revoke" }
  | { readonly kind: "failed"; readonly error: LoginError };

const TARGET = "codex_login::auth::manager";

type RevokingWorld = Pick<World, "fetch" | "log" | "signal" | "sleep">;

/**
 * Ends a stored ChatGPT login at the issuer that gave it, which its `oauth_provenance` names. API keys and access tokens
 * that a person pasted are theirs to end.
 *
 * @param limitMs how long the issuer may take in all.
 */
export async function revokeLogin(
  world: RevokingWorld,
  config: Pick<Config, "revocationEndpoint" | "originator" | "userAgent">,
  credentials: Credentials,
  limitMs: number,
): Promise<Revocation> {
  const { mode, tokens } = credentials;
  if (mode !== "chatgpt" || !tokens) return { kind: "nothing to revoke" };
  const hasRefreshToken = tokens.refresh_token !== "";
  const token = hasRefreshToken ? tokens.refresh_token : tokens.access_token;
  if (!token) return { kind: "nothing to revoke" };
  world.log.hide(token);
  const done = new AbortController();
  const late = new AbortController();
  world.sleep(limitMs, done.signal).then(() => {
    if (!done.signal.aborted) {
      late.abort(new LoginError("RESPONSE_TIMEOUT", "The issuer did not answer in time"));
    }
  });
  try {
    const issuer = parseIssuer(tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER);
    await revokeToken(world.fetch, {
      endpoint: config.revocationEndpoint ?? `${issuer.base}/oauth/revoke`,
      token,
      tokenTypeHint: hasRefreshToken ? "refresh_token" : "access_token",
      clientId: tokens.oauth_provenance?.client_id ?? DEFAULT_CLIENT_ID,
      originator: config.originator,
      userAgent: config.userAgent,
    }, AbortSignal.any([world.signal, late.signal]));
    world.log.write("info", TARGET, "revoked auth tokens");
    return { kind: "revoked" };
  } catch (thrown) {
    const error = toLoginError(thrown);
    world.log.write("warning", TARGET, "failed to revoke auth tokens", describeFailure(error));
    return { kind: "failed", error };
  } finally {
    done.abort();
  }
}
