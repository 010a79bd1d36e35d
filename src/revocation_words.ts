import type { RemovedProfile } from "./remove_profile.ts";
import { printable } from "./printable.ts";

type Outcome = RemovedProfile["revocation"];

/** What became of the tokens of a login that was removed here, for people. */
export function describeRevocation(revocation: Outcome): string[] {
  switch (revocation.kind) {
    case "revoked":
      return ["Its tokens were revoked at the issuer."];
    case "failed":
      return [
        `Its tokens could not be revoked (${revocation.error.code}: ${
          printable(revocation.error.reason ?? "")
        }); they work until they expire.`,
      ];
    case "not asked":
      return ["The issuer was not asked: tokens that were issued work until they expire."];
    case "damaged":
      return [
        "The file was damaged, so its tokens could not be revoked; they work until they expire.",
      ];
    case "shared":
      return [
        "Its tokens were not revoked, because that might end another login of the same person here; they work until they expire.",
      ];
    case "nothing to revoke":
      return [];
  }
}

/** The same for programs. */
export function revocationJson(revocation: Outcome): Record<string, unknown> {
  return {
    revoked: revocation.kind === "revoked",
    revocationError: revocation.kind === "failed" ? revocation.error.code : null,
  };
}
