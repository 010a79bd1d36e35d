import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { LoginAttempt } from "./attempt.ts";
import { accessDenied } from "./error_response.ts";
import { isSameIssuer } from "./issuer.ts";
import { matchState } from "./state.ts";

const SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke";

/** What every browser, proxy and terminal can carry. */
const MAX_URL_LENGTH = 2_048;

export interface AuthorizationOptions {
  /** Who asks, as the issuer counts it. */
  readonly originator: string;
  /** Workspaces (`chatgpt_account_id`) that the person may choose from; empty for any. */
  readonly allowedWorkspaceIds: readonly string[];
}

/**
 * The address where the person signs in: the reference's parameters in the reference's order.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.3
 */
export function buildAuthorizationUrl(
  attempt: LoginAttempt,
  options: AuthorizationOptions,
): string {
  const query = new URLSearchParams([
    ["response_type", "code"],
    ["client_id", attempt.clientId],
    ["redirect_uri", attempt.redirectUri],
    ["code_challenge", attempt.codeChallenge],
    ["code_challenge_method", "S256"],
    ["state", attempt.state],
    ["scope", SCOPE],
    ["id_token_add_organizations", "true"],
    ["codex_cli_simplified_flow", "true"],
    ["originator", options.originator],
  ]);
  if (options.allowedWorkspaceIds.length > 0) {
    query.append("allowed_workspace_id", options.allowedWorkspaceIds.join(","));
  }
  const url = `${attempt.issuer.base}/oauth/authorize?${query}`;
  if (url.length <= MAX_URL_LENGTH) return url;
  // It only helps the person to choose: the workspace is checked afterwards in any case.
  query.delete("allowed_workspace_id");
  return `${attempt.issuer.base}/oauth/authorize?${query}`;
}

/**
 * What a request to the redirect URI turned out to be. Only somebody who knows the state can end a login,
 * so everything else is `foreign`: it is refused and the login goes on.
 */
export type AuthorizationResponse =
  | { readonly kind: "foreign"; readonly reason: "repeated parameter" | "state mismatch" }
  | { readonly kind: "error"; readonly error: LoginError; readonly errorCode: string }
  | {
    readonly kind: "code";
    readonly code: string;
    readonly onboardingEntrypoint: "life_sciences" | undefined;
  };

const SINGLE_PARAMETERS = ["state", "code", "error", "iss"] as const;

/**
 * Judges an authorization response in the only safe order: repeats, state, issuer, error, code.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
 * @see https://www.rfc-editor.org/rfc/rfc9207#section-2.4
 */
export async function validateAuthorizationResponse(
  parameters: URLSearchParams,
  attempt: LoginAttempt,
): Promise<AuthorizationResponse> {
  if (SINGLE_PARAMETERS.some((name) => parameters.getAll(name).length > 1)) {
    return { kind: "foreign", reason: "repeated parameter" };
  }
  const match = await matchState(attempt.state, parameters.get("state") ?? "");
  if (!match.isSame) return { kind: "foreign", reason: "state mismatch" };

  const own = [attempt.state, parameters.get("code") ?? ""];
  const iss = parameters.get("iss");
  if (iss !== null && !isSameIssuer(iss, attempt.issuer.given)) {
    return {
      kind: "error",
      errorCode: "issuer_mismatch",
      error: new LoginError(
        "ISSUER_MISMATCH",
        "The answer came from another issuer than the one asked",
        {
          reason: `expected ${attempt.issuer.given}, got ${printable(iss, 100, own)}`,
        },
      ),
    };
  }
  const error = parameters.get("error");
  if (error !== null) {
    return {
      kind: "error",
      errorCode: error,
      error: authorizationError(error, parameters.get("error_description") ?? "", own),
    };
  }
  const code = parameters.get("code");
  if (!code) {
    return {
      kind: "error",
      errorCode: "missing_authorization_code",
      error: new LoginError("AUTHORIZATION_CODE_MISSING", "The issuer sent no authorization code"),
    };
  }
  return { kind: "code", code, onboardingEntrypoint: match.onboardingEntrypoint };
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 */
function authorizationError(
  error: string,
  description: string,
  secrets: readonly string[],
): LoginError {
  const words = printable(description, undefined, secrets);
  const shown = printable(error, 64, secrets) || "no error code";
  const reason = words ? `${shown}: ${words}` : shown;
  if (error !== "access_denied") {
    return new LoginError("AUTHORIZATION_FAILED", "The issuer refused the sign-in", { reason });
  }
  return accessDenied(reason, description);
}
