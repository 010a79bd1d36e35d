import { LoginError } from "./errors.ts";
import type { LineOutput } from "./line_output.ts";
import { within } from "./waiting.ts";
import type { World } from "./world.ts";

/** Milliseconds in which a reader takes something, or does not read any more. */
const STALLED_MS = 5_000;

/**
 * Waits until a reader has no more than so much before it, or the world's signal ends. One that goes on slowly is waited for.
 *
 * @param maxLength characters.
 * @throws {LoginError} OUTPUT_FAILED when it has stopped.
 */
export async function waitForReader(
  world: Pick<World, "sleep" | "signal">,
  output: Pick<LineOutput, "pendingLength" | "nextTaken">,
  maxLength: number,
): Promise<void> {
  while (output.pendingLength() > maxLength && !world.signal.aborted) {
    const isTaking = await within(world, STALLED_MS, output.nextTaken(), world.signal);
    if (isTaking || world.signal.aborted) continue;
    throw new LoginError("OUTPUT_FAILED", "Nobody reads stdout any more");
  }
}
