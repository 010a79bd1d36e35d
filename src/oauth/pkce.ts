/** Bytes of randomness in a verifier: 86 characters, the reference's length, well inside RFC 7636's 43 to 128. */
const VERIFIER_BYTES = 64;

export type RandomBytes = (length: number) => Uint8Array;

/**
 * A fresh `code_verifier`: 86 characters of `[A-Za-z0-9_-]`, 512 random bits.
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.1
 */
export function generateCodeVerifier(randomBytes: RandomBytes): string {
  return base64Url(randomBytes(VERIFIER_BYTES));
}

/**
 * The `code_challenge` of method S256, the only one ever used: BASE64URL(SHA-256(ASCII(code_verifier))).
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.2
 */
export async function calculateCodeChallenge(codeVerifier: string): Promise<string> {
  return base64Url(await sha256(codeVerifier));
}

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Base64 with the URL alphabet and without padding. */
export function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
