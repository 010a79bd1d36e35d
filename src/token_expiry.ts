import { decodeClaims } from "./oauth/id_token.ts";

/**
 * When an access token expires, in ms since the epoch. Only a JWT says so, in its claim `exp`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
 */
export function readTokenExpiry(accessToken: string): number | undefined {
  let exp: unknown;
  try {
    exp = decodeClaims(accessToken)["exp"];
  } catch {
    return undefined;
  }
  if (typeof exp !== "number") return undefined;
  const expiry = new Date(exp * 1_000).getTime();
  return Number.isNaN(expiry) ? undefined : expiry;
}
