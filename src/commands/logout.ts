import { formatJson } from "../json.ts";
import { logout, type LogoutOutcome } from "../logout.ts";
import type { CommandContext } from "./command.ts";
import { describeRevocation, revocationJson } from "./revocation_words.ts";

const TARGET = "codex_cli::logout";

export async function runLogout(
  { world, config, options, json, say }: CommandContext,
): Promise<number> {
  await world.runtime.protectMemory();
  for (const note of config.notes) say(note);
  const outcome = await logout(world, config, {
    localOnly: options.flag("local-only"),
    tell: say,
  });
  if (outcome.local !== "nothing stored") {
    const what = outcome.local === "removed" ? "the login was removed" : "a newer login was kept";
    world.log.write("info", TARGET, what);
  }
  if (json) world.writeData(formatJson(logoutJson(outcome)));
  else for (const line of describe(outcome)) say(line);
  return 0;
}

function logoutJson({ local, revocation }: LogoutOutcome): Record<string, unknown> {
  return {
    removed: local === "removed",
    ...revocationJson(revocation),
  };
}

function describe({ local, revocation }: LogoutOutcome): string[] {
  if (local === "nothing stored") return ["Nobody was signed in."];
  const here = local === "removed"
    ? "Signed out: the login was removed from this machine."
    : "A newer login was made meanwhile; it is kept.";
  return [here, ...describeRevocation(revocation)];
}
