/** What a path leads to, links followed. */
export interface FoundFile {
  readonly isRegular: boolean;
  /** Whose it is: a user's number. Without meaning on Windows. */
  readonly uid: number;
  /** How many names it has. */
  readonly links: number;
  readonly bytes: number;
}

/** Looking at files and reading small ones, at the least that it costs a runtime: every start of the program does it. */
export interface FileReading {
  /** Whether something other than a folder is there. */
  has(path: string): Promise<boolean>;
  /** Undefined when nothing is there; rejects with the system's own `code`. */
  find(path: string): Promise<FoundFile | undefined>;
  /**
   * Reads a text in UTF-8, without a mark of its byte order.
   *
   * @param judge is told what it is before it is read, and throws what reading it rejects with.
   * @returns undefined when nothing is there.
   */
  read(path: string, judge: (found: FoundFile) => void): Promise<string | undefined>;
}

declare const globalThis: { readonly IS_CODEX_LOGIN_EXECUTABLE?: true };

let loaded: FileReading | undefined;

/** Kept here: a server asks for it with every request, and an import takes its time even when nothing is left to load. */
export async function loadFileReading(): Promise<FileReading> {
  return loaded ??= await load();
}

async function load(): Promise<FileReading> {
  if (globalThis.IS_CODEX_LOGIN_EXECUTABLE || "Bun" in globalThis) {
    return (await import("./bun_file_reading.ts")).bunFileReading;
  }
  return (await import("./node_file_reading.ts")).nodeFileReading;
}
