import type { Runtime } from "./runtime/runtime.ts";

/** What `fetch` is asked for here: a subset of RequestInit, so that the platform's `fetch` fits too. */
export interface FetchInit {
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole request, below the transport's own limit. A foreign `fetch` ignores it. */
  readonly limitMs?: number;
  readonly redirect?: "manual";
}

/**
 * One outgoing call. The transport bounds time and size, follows no redirect, and rejects with a LoginError.
 */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/** The only fields a log line may have: everything else is refused by its name. */
export interface LogFields {
  readonly path?: string;
  readonly has_code?: boolean;
  readonly has_state?: boolean;
  readonly has_error?: boolean;
  readonly state_valid?: boolean;
  readonly has_error_description?: boolean;
  readonly error_code?: string;
  readonly issuer?: string;
  readonly token_endpoint?: string;
  readonly redirect_uri?: string;
  readonly status?: number;
  readonly is_timeout?: boolean;
  readonly is_connect?: boolean;
  readonly onboarding_entrypoint?: string;
  readonly port?: number;
  readonly code?: string;
  readonly holder?: string;
  /** Origin and path of what was asked. */
  readonly endpoint?: string;
  /** How the issuer names a request. */
  readonly request_id?: string;
  /** Why, in our own words. */
  readonly cause?: string;
  readonly duration_ms?: number;
  readonly version?: string;
  readonly runtime?: string;
  readonly platform?: string;
  readonly attempt?: string;
}

export type LogLevel = "info" | "warning" | "error";

export interface Log {
  /** The id of the attempt that this log is for, which each of its lines carries. It is no secret: people are shown it. */
  readonly attempt?: string;
  write(level: LogLevel, target: string, message: string, fields?: LogFields): void;
  /** From now on this value is cut out of every line, whatever field it comes in. */
  hide(secret: string): void;
}

export const SILENT_LOG: Log = { write: () => {}, hide: () => {} };

export interface Stdin {
  /** Reads until the end, or until more than `maxBytes` came: then those bytes and no more. */
  read(maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

export interface TerminalOptions {
  /** Asks the terminal to mark what is pasted, which takes an escape sequence. */
  readonly marksPastes: boolean;
  onBytes(bytes: Uint8Array): void;
  /** The process was stopped and goes on: what was drawn is lost. */
  onResume(): void;
}

/** The person's terminal while keys are read from it one by one, and nothing is echoed. */
export interface TerminalSession {
  /** False while the process is in the background: then the terminal is somebody else's. */
  isOpen(): boolean;
  /** Takes the terminal again if the process was brought to the foreground: shells do not tell it. */
  reclaim(): Promise<void>;
  columns(): number;
  /** Writes as it is, without a line's end. Every part from outside has to be cleaned before. */
  draw(text: string): void;
  /** Stops this process as Ctrl-Z does, with the terminal as it was. */
  suspend(): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** One thing to do with an entry that this program keeps in the person's keyring, by the entry's user name. */
export type KeyringStep =
  | { readonly op: "read"; readonly user: string }
  | { readonly op: "write"; readonly user: string; readonly text: string }
  | { readonly op: "remove"; readonly user: string };

/** What became of the steps: for each read its text or null; or why there is no answer. */
export type KeyringAnswer =
  | { readonly texts: readonly (string | null)[] }
  | {
    /** Foreign words: to be cleaned before they are shown. */
    readonly failure: string;
    /** There is no keyring here at all, so nothing can be in it. */
    readonly isAbsent: boolean;
  };

/** The word that makes this program the keyring's helper process (keyring_helper.ts). */
export const KEYRING_HELPER = "keyring-helper";

/** Does the steps in their order, stops at the first that fails, and answers in bounded time. It never rejects. */
export type KeyringAccess = (steps: readonly KeyringStep[]) => Promise<KeyringAnswer>;

/** Everything that tests and hosts replace. All else is real: files, sockets, cryptography. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly runtime: Runtime;
  readonly stdin: Stdin;
  /**
   * Hands over what comes on stdin as it comes, and resolves at its end, or when the signal aborts. While a promise that it
   * returned is open nothing more is read.
   */
  followStdin(
    onBytes: (bytes: Uint8Array) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether a person sits at that stream. Asked only where it matters: finding out costs milliseconds. */
  isTerminal(stream: "stdin" | "stdout" | "stderr"): Promise<boolean>;
  /** Undefined where there is no terminal to read keys from. */
  openTerminal(options: TerminalOptions): Promise<TerminalSession | undefined>;
  /** Of the terminal on stderr; undefined where there is none. Asked only where it matters, like isTerminal(). */
  columns(): number | undefined;
  /** One line of data on stdout. */
  writeData(line: string): void;
  /**
   * Writes data to stdout while everything else goes on, and resolves once its reader took it. One at a time.
   *
   * @throws {LoginError} OUTPUT_FAILED
   */
  sendData(text: string): Promise<void>;
  /** The same for words on stderr. */
  sendWords(text: string): Promise<void>;
  /**
   * What a command answers that does nothing else: as it is, on stdout, at the least cost.
   *
   * @throws {LoginError} OUTPUT_FAILED
   */
  answerData(text: string): Promise<void>;
  /** The same for people, on stderr; what nobody can see does not fail. */
  answerWords(text: string): Promise<void>;
  /** Lines for people on stderr. */
  writeWords(text: string): void;
  readonly fetch: Fetch;
  /**
   * Whether the settings of the way to this address, proxy and certificates, can be used. Nobody is asked.
   *
   * @throws {LoginError} CA_FILE, PROXY_INVALID or PROXY_UNSUPPORTED
   */
  checkRoute?(address: string): Promise<void>;
  /** The same by other variables, where it is us who go out. */
  routeBy?(env: World["env"]): Pick<World, "fetch" | "checkRoute">;
  readonly keyring: KeyringAccess;
  /** Starts a program without waiting for it; resolves with why it failed, or undefined once it seems to run. */
  launch(command: readonly string[]): Promise<string | undefined>;
  /** The wall clock, ms since the epoch. */
  now(): number;
  /** A clock that only goes forward, in ms. */
  elapsed(): number;
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  randomBytes(length: number): Uint8Array;
  /** Aborts with a LoginError as reason when the process is told to end. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** The new login is on the disk: from now on the process has succeeded, however it is told to end. */
  saved(): void;
  /** Does what Ctrl-C does where the terminal makes no signal of it. */
  interrupt(): void;
  /** Does what must not be cut in two: until it is done nothing but SIGKILL ends the process. */
  hold<T>(work: () => Promise<T>): Promise<T>;
}

/** An environment variable; empty counts as unset. */
export function environmentValue(world: Pick<World, "env">, name: string): string | undefined {
  return world.env[name] || undefined;
}
