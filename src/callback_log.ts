import type { AuthorizationResponse } from "./oauth/authorization.ts";
import type { Log } from "./world.ts";

const TARGET = "codex_login::server";

/**
 * The only error codes that are logged: any other may be a sentence, and the log holds none of the issuer's.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AuthError
 */
const KNOWN_ERRORS: ReadonlySet<string> = new Set(
  ("invalid_request unauthorized_client access_denied unsupported_response_type invalid_scope " +
    "server_error temporarily_unavailable interaction_required login_required " +
    "account_selection_required consent_required invalid_request_uri invalid_request_object " +
    "request_not_supported request_uri_not_supported registration_not_supported issuer_mismatch " +
    "missing_authorization_code").split(" "),
);

/** Foreign callbacks that are logged one by one: more is a flood, which must fill neither a disk nor a terminal. */
const MAX_FOREIGN = 20;

/** Tells the log that a callback came and how it was judged: which parts it had, never what was in them. */
export function createCallbackLog(
  log: Log,
): (parameters: URLSearchParams, response: AuthorizationResponse) => void {
  let foreign = 0;
  return (parameters, response) => {
    const fields = {
      path: "/auth/callback",
      has_code: parameters.has("code"),
      has_state: parameters.has("state"),
      has_error: parameters.has("error"),
    };
    if (response.kind === "foreign" && ++foreign > MAX_FOREIGN) {
      if (foreign === MAX_FOREIGN + 1) {
        log.write("warning", TARGET, "further foreign callbacks are not logged");
      }
      return;
    }
    const isForeign = response.kind === "foreign";
    log.write("info", TARGET, "received login callback", { ...fields, state_valid: !isForeign });
    if (isForeign) log.write("warning", TARGET, `login callback ${response.reason}`, fields);
    if (response.kind === "error") {
      log.write("warning", TARGET, "oauth callback returned error", {
        error_code: KNOWN_ERRORS.has(response.errorCode) ? response.errorCode : "other",
        has_error_description: parameters.has("error_description"),
      });
    }
    if (response.kind === "code" && response.onboardingEntrypoint) {
      log.write("info", TARGET, "login callback named an onboarding entrypoint", {
        onboarding_entrypoint: response.onboardingEntrypoint,
      });
    }
  };
}
