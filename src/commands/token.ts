import { parseDuration } from "../duration.ts";
import { formatJson } from "../json.ts";
import { formatError } from "../terminal.ts";
import { obtainToken, type Token } from "../token.ts";
import type { CommandContext } from "./command.ts";
import { errorJson } from "../error_json.ts";

/** The token alone on stdout. One that could not be saved is given out all the same, with the error. */
export async function runToken(context: CommandContext): Promise<number> {
  const { world, config, options, json, say, style } = context;
  for (const note of config.notes) say(note);
  const minTtl = options.text("min-ttl");
  const obtained = await obtainToken(world, config, {
    minTtlMs: minTtl === undefined ? undefined : parseDuration(minTtl, "--min-ttl"),
    isForced: false,
    tell: say,
  });
  world.writeData(json ? formatJson(tokenJson(obtained)) : obtained.token);
  if (!obtained.saveError) return 0;
  world.writeWords(formatError(obtained.saveError, await style()));
  return obtained.saveError.exitCode;
}

function tokenJson(
  { token, expiresAt, accountId, authMode, saveError }: Token,
): Record<string, unknown> {
  const error = saveError ? { error: errorJson(saveError) } : {};
  return { accessToken: token, expiresAt, accountId, authMode, ...error };
}
