import { createLoginAttempt, type LoginAttempt } from "../../src/oauth/attempt.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";

/** A login attempt with real random values. */
export function createAttempt(
  issuer = "https://auth.openai.com",
  port = 1455,
): Promise<LoginAttempt> {
  return createLoginAttempt((length) => crypto.getRandomValues(new Uint8Array(length)), {
    issuer: parseIssuer(issuer),
    clientId: "app_EMoamEEZ73f0CkXaXp7hrann",
    redirectUri: `http://127.0.0.1:${port}/auth/callback`,
  });
}
