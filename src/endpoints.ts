import { type Issuer, parseSecureUrl } from "./oauth/issuer.ts";
import { environmentValue, type World } from "./world.ts";

/** Addresses that the environment may change. */
export interface Endpoints {
  /** Where personal access tokens are asked about. */
  readonly authApiBase: string;
  /** Where refreshes go, if not to the issuer of the login. */
  readonly refreshEndpoint: string | undefined;
  /** Where revocations go, if not to the issuer of the login. */
  readonly revocationEndpoint: string | undefined;
}

/**
 * Reads the variables that move them. The one of refreshes moves revocations too: same origin, the usual path.
 *
 * @param notes takes what a person should know of it.
 * @throws {LoginError} ISSUER_INVALID
 */
export function readEndpoints(
  world: Pick<World, "env">,
  notes: string[],
  issuer: Issuer,
): Endpoints {
  const read = (name: string, what: string): URL | undefined => {
    const address = environmentValue(world, name);
    if (!address) return undefined;
    notes.push(`${name} decides where ${what} go.`);
    return parseSecureUrl(address, `address in ${name}`);
  };
  const revocation = read("CODEX_REVOKE_TOKEN_URL_OVERRIDE", "revocations");
  const refresh = read(
    "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
    revocation ? "refreshes" : "refreshes and revocations",
  );
  const authApi = read("CODEX_AUTHAPI_BASE_URL", "questions about access tokens");
  return {
    authApiBase: authApi ? authApi.href.replace(/\/$/, "") : `${issuer.base}/api/accounts`,
    refreshEndpoint: refresh?.href,
    revocationEndpoint: revocation?.href ?? (refresh && `${refresh.origin}/oauth/revoke`),
  };
}
