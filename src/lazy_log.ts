import type { Log } from "./world.ts";

/** A log that is opened with its first line, so that a command with nothing to tell neither loads nor makes one. */
export interface LazyLog extends Log {
  isOpened(): boolean;
  /** Opens it now, unless it is open. */
  open(): Promise<void>;
  /** Resolves when every line so far is where `load`'s log puts it. */
  flush(): Promise<void>;
}

/** @param load opens the real one; it must not reject. */
export function createLazyLog(load: () => Promise<Log>): LazyLog {
  const calls: ((log: Log) => void)[] = [];
  let log: Log | undefined;
  let opening: Promise<void> | undefined;

  function open(): Promise<void> {
    opening ??= load().then((opened) => {
      log = opened;
      for (const call of calls.splice(0)) call(log);
    });
    return opening;
  }
  function pass(call: (log: Log) => void): void {
    if (log) call(log);
    else calls.push(call);
  }

  return {
    write(...line): void {
      pass((to) => to.write(...line));
      void open();
    },
    hide: (secret) => pass((to) => to.hide(secret)),
    isOpened: () => opening !== undefined,
    open,
    flush: () => opening ?? Promise.resolve(),
  };
}
