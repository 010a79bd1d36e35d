import { formatJson } from "../json.ts";
import { logout, type LogoutOutcome } from "../logout.ts";
import { printable } from "../printable.ts";
import type { CommandContext } from "./command.ts";

export async function runLogout(
  { world, config, options, json, say }: CommandContext,
): Promise<number> {
  await world.runtime.protectMemory();
  for (const note of config.notes) say(note);
  const outcome = await logout(world, config, {
    localOnly: options.flag("local-only"),
    tell: say,
  });
  if (json) world.writeData(formatJson(logoutJson(outcome)));
  else for (const line of describe(outcome)) say(line);
  return 0;
}

function logoutJson({ local, revocation }: LogoutOutcome): Record<string, unknown> {
  return {
    removed: local === "removed",
    revoked: revocation.kind === "revoked",
    revocationError: revocation.kind === "failed" ? revocation.error.code : null,
  };
}

function describe({ local, revocation }: LogoutOutcome): string[] {
  if (local === "nothing stored") return ["Nobody was signed in."];
  const here = local === "removed"
    ? "Signed out: the login was removed from this machine."
    : "A newer login was made meanwhile; it is kept.";
  switch (revocation.kind) {
    case "revoked":
      return [here, "Its tokens were revoked at the issuer."];
    case "failed":
      return [
        here,
        `Its tokens could not be revoked (${revocation.error.code}: ${
          printable(revocation.error.reason ?? "")
        }); they work until they expire.`,
      ];
    case "not asked":
      return [here, "The issuer was not asked: tokens that were issued work until they expire."];
    case "damaged":
      return [
        here,
        "The file was damaged, so its tokens could not be revoked; they work until they expire.",
      ];
    case "nothing to revoke":
      return [here];
  }
}
