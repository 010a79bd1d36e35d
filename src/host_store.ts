/**
 * Where a program keeps a login itself: a database, a keyring of its own, memory. The text is auth.json's, and a secret.
 * Whoever lets several processes share one has to see to it that only one of them renews at a time.
 */
export interface HostStore {
  /** The text that was written last; undefined when there is none, or it was removed. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** Keeps a login for as long as the program runs. */
export function createMemoryStore(): HostStore {
  let text: string | undefined;
  return {
    read: () => Promise.resolve(text),
    write: (next) => Promise.resolve(void (text = next)),
    remove: () => Promise.resolve(void (text = undefined)),
  };
}
