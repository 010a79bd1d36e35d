import type { Account } from "./account.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { printable } from "./printable.ts";

/** An account for people, on one line. All of it is the issuer's text. */
export function describeAccount({ email, plan, accountId, workspaceName }: Account): string {
  const workspace = workspaceName ?? accountId;
  const details = [
    plan === "unknown" ? "" : `plan ${printable(plan, 40)}`,
    workspace ? `workspace ${printable(workspace, 80)}` : "",
  ].filter((part) => part !== "");
  const name = printable(email ?? "a ChatGPT user", 100);
  return details.length > 0 ? `${name} (${details.join(", ")})` : name;
}

/** An account for programs. */
export function accountJson(
  { email, plan, accountId, userId }: Account,
): Record<string, string | null> {
  return { email, plan, accountId, userId };
}

/** Where a login is kept. */
export function describePlace(
  { path, store }: { readonly path: string | null; readonly store: CredentialStore["kind"] },
): string {
  if (path !== null) return printable(path);
  return store === "host" ? "the program's own store" : "the keyring";
}
