import { createLineOutput } from "./line_output.ts";
import { printable } from "./printable.ts";
import type { World } from "./world.ts";

/** Notes that nobody reads are dropped beyond so many characters, and those that were told before are not told again. */
const MAX_UNREAD_NOTES = 1 << 16;
const MAX_KNOWN_NOTES = 100;
/** Words for a person, who may have nobody reading them: they keep nothing waiting, and none is said twice. */
export function createNotes(world: Pick<World, "sendWords">): (message: string) => void {
  const output = createLineOutput(world.sendWords, () => {});
  const known = new Set<string>();
  return (message) => {
    const note = printable(message);
    if (known.has(note) || output.pendingLength() > MAX_UNREAD_NOTES) return;
    if (known.size >= MAX_KNOWN_NOTES) known.clear();
    known.add(note);
    output.send(note);
  };
}
