import { readOrganizationSetup } from "./account.ts";
import type { JsonObject } from "./json.ts";
import { decodeClaims } from "./oauth/id_token.ts";
import { isDefaultIssuer, type Issuer } from "./oauth/issuer.ts";
import type { TokenSet } from "./oauth/token.ts";

/**
 * Where an owner sets the organization up, if that is still to be done. That page takes the person from the token, so this
 * is the only address that ever carries one, and it leads to the issuer's own platform.
 */
export function buildSetupUrl(
  issuer: Issuer,
  tokens: TokenSet,
  idTokenClaims: JsonObject,
): string | undefined {
  const setup = readOrganizationSetup(idTokenClaims, accessTokenClaims(tokens.accessToken));
  if (!setup) return undefined;
  const platform = isDefaultIssuer(issuer)
    ? "https://platform.openai.com"
    : "https://platform.api.openai.org";
  const query = new URLSearchParams([
    ["p", setup.plan],
    ["t", tokens.idToken],
    ["with_org", setup.organizationId],
    ["project_id", setup.projectId],
  ]);
  return `${platform}/org-setup?${query}`;
}

/** An access token may be of any form: only a JWT tells something. */
function accessTokenClaims(accessToken: string): JsonObject {
  try {
    return decodeClaims(accessToken);
  } catch {
    return {};
  }
}
