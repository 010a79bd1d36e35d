import type { TerminalOptions, World } from "../../src/world.ts";

/** A terminal in memory: what is drawn is recorded, keys are pressed by the test. */
export interface FakeTerminal extends Pick<World, "openTerminal" | "isTerminal"> {
  /** One read of the terminal. */
  press(text: string): void;
  /** The process was stopped, and goes on. */
  resume(): void;
  readonly drawn: () => string;
  readonly isOpen: () => boolean;
  readonly marksPastes: () => boolean;
  readonly suspended: () => number;
}

export function createFakeTerminal(columns = 80): FakeTerminal {
  let options: TerminalOptions | undefined;
  let drawn = "";
  let suspended = 0;
  return {
    isTerminal: () => Promise.resolve(true),
    openTerminal(given): ReturnType<World["openTerminal"]> {
      options = given;
      return Promise.resolve({
        isOpen: () => true,
        reclaim: () => Promise.resolve(),
        columns: () => columns,
        draw: (text) => void (drawn += text),
        suspend: () => void suspended++,
        close: () => void (options = undefined),
      });
    },
    press: (text) => options?.onBytes(new TextEncoder().encode(text)),
    resume: () => options?.onResume(),
    drawn: () => drawn,
    isOpen: () => options !== undefined,
    marksPastes: () => options?.marksPastes ?? false,
    suspended: () => suspended,
  };
}
