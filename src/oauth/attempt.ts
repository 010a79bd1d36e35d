import { calculateCodeChallenge, generateCodeVerifier, type RandomBytes } from "./pkce.ts";
import type { Issuer } from "./issuer.ts";
import { generateState } from "./state.ts";

/** Who asks, and whom. */
export interface Client {
  readonly issuer: Issuer;
  readonly clientId: string;
}

/** What a code is traded with. */
export interface CodeGrant extends Client {
  readonly codeVerifier: string;
  /** Byte for byte the same in the authorization and the token request (RFC 6749 4.1.3). */
  readonly redirectUri: string;
  /** Absent where no browser carried one. */
  readonly state?: string;
}

/** One try to sign in: what is random in it is used once and never kept. */
export interface LoginAttempt extends CodeGrant {
  readonly state: string;
  readonly codeChallenge: string;
}

export async function createLoginAttempt(
  randomBytes: RandomBytes,
  client: { issuer: Issuer; clientId: string; redirectUri: string },
): Promise<LoginAttempt> {
  const codeVerifier = generateCodeVerifier(randomBytes);
  return {
    ...client,
    state: generateState(randomBytes),
    codeVerifier,
    codeChallenge: await calculateCodeChallenge(codeVerifier),
  };
}
