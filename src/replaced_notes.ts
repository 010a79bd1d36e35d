import type { Replaced } from "./credentials/store.ts";
import { printable } from "./printable.ts";

/** What a person should know of what a new login has replaced. */
export function describeReplaced({ keptAside, keptProfile }: Replaced): string[] {
  return [
    ...(keptAside ? [`The damaged credentials file was kept as ${printable(keptAside)}.`] : []),
    ...(keptProfile
      ? [`The login "${keptProfile}" is kept: codex-login profile use ${keptProfile}`]
      : []),
  ];
}

/** For logins that are none of the issuer's sessions, and so end none. */
export function describeUnrevoked({ earlier }: Replaced): string[] {
  return earlier?.mode === "chatgpt" && earlier.tokens
    ? ["The ChatGPT login it replaces was not revoked; its tokens are left to expire."]
    : [];
}
