import { deferred } from "./deferred.ts";

/** Characters that are handed over at a time. */
const PART = 1 << 16;

/** Lines for the program at the other end, in their order, which nobody has to wait for. */
export interface LineOutput {
  /** Takes a line without its end. After a failure it does nothing. */
  send(line: string): void;
  /** Characters that were not taken yet. */
  pendingLength(): number;
  /** Resolves when the reader takes some of them, or never will. */
  nextTaken(): Promise<void>;
  /** Resolves when every line so far was taken, or cannot be written any more. */
  drained(): Promise<void>;
}

/**
 * @param take hands text to the reader, and resolves when it was taken; called one after the other.
 * @param onFailure what was sent is lost, and so is all that follows. Called once at most.
 */
export function createLineOutput(
  take: (text: string) => Promise<void>,
  onFailure: (thrown: unknown) => void,
): LineOutput {
  const waiting: string[] = [];
  let length = 0;
  let hasFailed = false;
  let sending: Promise<void> | undefined;
  let taken = deferred<void>();

  /** Not all at once: what is taken shall be seen. */
  function takeSome(): string {
    let end = 0;
    for (let size = 0; end < waiting.length && size < PART; end++) {
      size += waiting[end]?.length ?? 0;
    }
    return waiting.splice(0, end).join("");
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && !hasFailed) {
      const text = takeSome();
      try {
        await take(text);
      } catch (thrown) {
        hasFailed = true;
        onFailure(thrown);
      }
      length -= text.length;
      const { resolve } = taken;
      taken = deferred();
      resolve();
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
    nextTaken: () => taken.promise,
    drained: () => sending ?? Promise.resolve(),
  };
}
