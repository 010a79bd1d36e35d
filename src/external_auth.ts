import { type Account, readAccount, toKnownPlan } from "./account.ts";
import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";
import { decodeClaims } from "./oauth/id_token.ts";
import { checkWorkspace } from "./workspace.ts";

/** A login that the host keeps itself, and only lends: it is nowhere but in memory. */
export interface ExternalLogin {
  /** A secret. */
  readonly accessToken: string;
  readonly account: Account & { readonly accountId: string };
}

/** What a host hands over. */
export interface ExternalTokens {
  readonly accessToken: string;
  readonly chatgptAccountId: string;
  /** Absent: what the token says. */
  readonly chatgptPlanType?: string | null | undefined;
}

/**
 * Takes a host's tokens, if the settings allow them. The token is not verified: the host vouches for it.
 *
 * @throws {LoginError} LOGIN_METHOD_FORBIDDEN, ACCESS_TOKEN_INVALID when it is no JWT, WORKSPACE_MISMATCH
 */
export function acceptExternalTokens(
  { forcedLoginMethod, forcedWorkspaceIds }: Pick<
    Config,
    "forcedLoginMethod" | "forcedWorkspaceIds"
  >,
  { accessToken, chatgptAccountId, chatgptPlanType }: ExternalTokens,
): ExternalLogin {
  if (forcedLoginMethod === "api") {
    throw new LoginError("LOGIN_METHOD_FORBIDDEN", "A login of the host is not allowed here", {
      reason: 'forced_login_method is "api"',
    });
  }
  const own = readAccount(claimsOf(accessToken));
  const plan = typeof chatgptPlanType === "string" ? toKnownPlan(chatgptPlanType) : own.plan;
  const account = { ...own, plan, accountId: chatgptAccountId };
  checkWorkspace(account, forcedWorkspaceIds);
  return { accessToken, account };
}

function claimsOf(accessToken: string): Record<string, unknown> {
  try {
    return decodeClaims(accessToken);
  } catch {
    throw new LoginError("ACCESS_TOKEN_INVALID", "The host's access token cannot be used", {
      reason: "it is no JWT",
      hint: "give an access token as the issuer gave it",
    });
  }
}
