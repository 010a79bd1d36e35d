import type { World } from "./world.ts";

/** Lines for the program at the other end, in their order, which nobody has to wait for. */
export interface LineOutput {
  /** Takes a line without its end. After a failure it does nothing. */
  send(line: string): void;
  /** Characters that were not taken yet. */
  pendingLength(): number;
  /** Resolves when every line so far was taken, or cannot be written any more. */
  drained(): Promise<void>;
}

/** @param onFailure what was sent is lost, and so is all that follows. Called once at most. */
export function createLineOutput(
  world: Pick<World, "sendData">,
  onFailure: (thrown: unknown) => void,
): LineOutput {
  let waiting: string[] = [];
  let length = 0;
  let hasFailed = false;
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && !hasFailed) {
      const text = waiting.join("");
      waiting = [];
      try {
        await world.sendData(text);
      } catch (thrown) {
        hasFailed = true;
        onFailure(thrown);
      }
      length -= text.length;
    }
    sending = undefined;
  }

  return {
    send(line): void {
      if (hasFailed) return;
      waiting.push(`${line}\n`);
      length += line.length + 1;
      sending ??= sendAll();
    },
    pendingLength: () => hasFailed ? 0 : length,
    drained: () => sending ?? Promise.resolve(),
  };
}
