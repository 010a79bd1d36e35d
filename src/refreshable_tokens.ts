import type { AuthMode, Credentials, StoredTokens } from "./credentials/auth_file.ts";
import { describeMode } from "./credentials/mode_words.ts";
import { LoginError } from "./errors.ts";

/** What to do instead of renewing what needs no renewal, or gets it elsewhere. */
const NO_RENEWAL: Partial<Record<AuthMode, string>> = {
  apikey: "codex-login token prints the API key, which needs no renewal",
  personalAccessToken: "codex-login token prints the access token, which needs no renewal",
  chatgptAuthTokens: "codex-login token prints what that program stored last",
};

/** The tokens of a login that can be renewed. @throws {LoginError} NOT_SIGNED_IN or REFRESH_REFUSED */
export function refreshableTokens({ mode, tokens }: Credentials): StoredTokens {
  if (mode !== "chatgpt") {
    throw new LoginError(
      "REFRESH_REFUSED",
      `A login with ${describeMode(mode)} is not renewed here`,
      {
        reason: mode === "chatgptAuthTokens"
          ? "the program that gave the tokens renews them"
          : "only a ChatGPT login has tokens that are renewed",
        hint: NO_RENEWAL[mode] ?? "codex-login status",
        requestSent: false,
      },
    );
  }
  if (tokens && tokens.refresh_token !== "") return tokens;
  throw new LoginError("NOT_SIGNED_IN", "The stored login cannot be renewed", {
    reason: "it has no refresh token",
  });
}
