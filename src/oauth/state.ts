import { base64Url, type RandomBytes, sha256 } from "./pkce.ts";

const STATE_BYTES = 32;

/** The one suffix that the issuer may add to a state: it says how a person came to sign in. */
const ONBOARDING_SUFFIX = ".onboarding_entrypoint=life_sciences";

/**
 * A fresh `state`: 43 characters, 256 random bits.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-10.12
 */
export function generateState(randomBytes: RandomBytes): string {
  return base64Url(randomBytes(STATE_BYTES));
}

export interface StateMatch {
  readonly isSame: boolean;
  readonly onboardingEntrypoint: "life_sciences" | undefined;
}

/** Compares in constant time: digests of both are compared, whatever their lengths. */
export async function matchState(expected: string, received: string): Promise<StateMatch> {
  const hasSuffix = received.endsWith(ONBOARDING_SUFFIX);
  const bare = hasSuffix ? received.slice(0, -ONBOARDING_SUFFIX.length) : received;
  const [a, b] = await Promise.all([sha256(expected), sha256(bare)]);
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  const isSame = difference === 0 && expected !== "";
  return { isSame, onboardingEntrypoint: isSame && hasSuffix ? "life_sciences" : undefined };
}
