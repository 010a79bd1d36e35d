import { formatJson } from "../json.ts";
import { obtainToken } from "../token.ts";
import type { CommandContext } from "./command.ts";

/** New tokens now, which are saved and not shown. */
export async function runRefresh({ world, config, json, say }: CommandContext): Promise<number> {
  for (const note of config.notes) say(note);
  const { expiresAt, accountId, authMode, saveError } = await obtainToken(world, config, {
    minTtlMs: undefined,
    isForced: true,
    tell: say,
  });
  if (saveError) throw saveError;
  if (json) world.writeData(formatJson({ refreshed: true, expiresAt, accountId, authMode }));
  else {
    say(
      expiresAt === null
        ? "The login was renewed."
        : `The login was renewed; the access token is valid until ${expiresAt}.`,
    );
  }
  return 0;
}
