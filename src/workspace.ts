import type { Account } from "./account.ts";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";

/**
 * The workspaces that a login may end in: what the settings force, narrowed by what was asked for. Empty for any.
 *
 * @throws {LoginError} USAGE when nothing is left to choose from.
 */
export function allowedWorkspaces(
  forced: readonly string[],
  expected: readonly string[],
): readonly string[] {
  if (forced.length === 0 || expected.length === 0) return [...forced, ...expected];
  const both = expected.filter((id) => forced.includes(id));
  if (both.length > 0) return both;
  throw new LoginError(
    "USAGE",
    "--expect-workspace names a workspace that the settings do not allow",
    {
      reason: `forced_chatgpt_workspace_id: ${printable(forced.join(", "))}`,
    },
  );
}

/** @throws {LoginError} WORKSPACE_MISMATCH */
export function checkWorkspace({ accountId }: Account, allowed: readonly string[]): void {
  if (allowed.length === 0 || (accountId !== null && allowed.includes(accountId))) return;
  throw new LoginError(
    "WORKSPACE_MISMATCH",
    "This login is for a workspace that is not allowed here",
    {
      reason: `allowed: ${printable(allowed.join(", "), 120)}; signed in to: ${
        printable(accountId ?? "none", 60)
      }`,
    },
  );
}
