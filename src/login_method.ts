import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";

/**
 * A sign-in with ChatGPT has to be allowed by the settings.
 *
 * @throws {LoginError} LOGIN_METHOD_FORBIDDEN
 */
export function refuseForbiddenMethod(
  { forcedLoginMethod }: Pick<Config, "forcedLoginMethod">,
): void {
  if (forcedLoginMethod !== "api") return;
  throw new LoginError("LOGIN_METHOD_FORBIDDEN", "Signing in with ChatGPT is not allowed here", {
    reason: 'forced_login_method is "api"',
    hint: "printenv OPENAI_API_KEY | codex-login login --with-api-key",
  });
}
