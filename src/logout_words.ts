import type { LogoutOutcome } from "./logout.ts";
import { describeRevocation, revocationJson } from "./revocation_words.ts";

/** What became of a logout, for programs. */
export function logoutJson({ local, revocation }: LogoutOutcome): Record<string, unknown> {
  return {
    removed: local === "removed",
    ...revocationJson(revocation),
  };
}

/** The same for people: one sentence a line. */
export function describeLogout({ local, revocation }: LogoutOutcome): string[] {
  if (local === "nothing stored") return ["Nobody was signed in."];
  const here = local === "removed"
    ? "Signed out: the login was removed from this machine."
    : "A newer login was made meanwhile; it is kept.";
  return [here, ...describeRevocation(revocation)];
}
