import { readAccount, readIdentity } from "./account.ts";
import type { Config } from "./config.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import type { JsonObject } from "./json.ts";
import { DEFAULT_ISSUER, isSameIssuer } from "./oauth/issuer.ts";
import { printable } from "./printable.ts";
import { revokeLogin } from "./revoke_login.ts";
import type { World } from "./world.ts";

/** Milliseconds; within the five seconds that a finished login waits for what follows it, so that the outcome is told. */
const REVOCATION_MS = 4_500;

/**
 * Ends the login that was replaced, if it was another user's. The same user's may share a grant with the new one, so that
 * revoking it would end both (seen with oidc-provider): it is left to expire, and so is one that does not say whose it was.
 *
 * @param issuer of the new login, whose ID token said `claims`.
 */
export async function settleEarlier(
  world: Pick<World, "fetch" | "log" | "signal" | "sleep">,
  config: Config,
  earlier: Credentials | undefined,
  { issuer, claims, tell }: { issuer: string; claims: JsonObject; tell: (note: string) => void },
): Promise<void> {
  if (earlier?.mode !== "chatgpt" || !earlier.tokens) return;
  const former = readIdentity(earlier.idTokenClaims);
  if (former === null) {
    return tell("The earlier login does not say whose it was; its tokens are left to expire.");
  }
  const formerIssuer = earlier.tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER;
  if (former === readIdentity(claims) && isSameIssuer(formerIssuer, issuer)) {
    return tell("The earlier login of this account was replaced; its tokens are left to expire.");
  }
  const name = printable(readAccount(earlier.idTokenClaims).email ?? "another user", 100);
  const outcome = await revokeLogin(world, config, earlier, REVOCATION_MS);
  if (outcome.kind === "revoked") tell(`The earlier login of ${name} was revoked.`);
  if (outcome.kind === "failed") {
    tell(
      `The earlier login of ${name} could not be revoked (${outcome.error.code}); its tokens expire by themselves.`,
    );
  }
}
