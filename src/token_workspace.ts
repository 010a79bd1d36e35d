import type { Config } from "./config.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { requestWhoami } from "./oauth/personal_access_token.ts";
import { checkWorkspace } from "./workspace.ts";
import type { World } from "./world.ts";

type Rules = Pick<Config, "authApiBase" | "originator" | "userAgent" | "forcedWorkspaceIds">;

/**
 * Asks the issuer whose a personal access token is, where the settings allow certain workspaces only: a token of this kind
 * does not say so itself. That the issuer cannot be asked is no permission.
 *
 * @throws {LoginError} NOT_SIGNED_IN when it is for another workspace or is not accepted; what the transport throws, or
 * NETWORK, when the issuer does not say.
 */
export async function requireTokenWorkspace(
  world: Pick<World, "fetch" | "log" | "signal">,
  { forcedWorkspaceIds, authApiBase, originator, userAgent }: Rules,
  token: string,
): Promise<void> {
  if (forcedWorkspaceIds.length === 0) return;
  world.log.hide(token);
  try {
    const request = { base: authApiBase, token, originator, userAgent };
    checkWorkspace(await requestWhoami(world.fetch, request, world.signal), forcedWorkspaceIds);
  } catch (thrown) {
    throw toRefusal(toLoginError(thrown));
  }
}

function toRefusal(error: LoginError): LoginError {
  const { code, exitCode, message, status } = error;
  const reason = error.reason ?? "no reason given";
  const details = { reason, ...(status === undefined ? {} : { status }) };
  if (code === "WORKSPACE_MISMATCH") {
    return new LoginError("NOT_SIGNED_IN", "The login is not allowed here", {
      reason: `it does not fit the setting forced_chatgpt_workspace_id; ${reason}`,
    });
  }
  if (code === "ACCESS_TOKEN_INVALID") return new LoginError("NOT_SIGNED_IN", message, details);
  return exitCode === 1 ? new LoginError("NETWORK", message, details) : error;
}
