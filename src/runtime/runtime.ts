/** Who is at the other end of a connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export type RequestHandler = (request: Request, peer: Peer) => Response | Promise<Response>;

export interface ServeOptions {
  /** An IP address, never a name: names resolve differently in each runtime. */
  readonly hostname: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly handler: RequestHandler;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening at once and resolves when the answers under way are delivered; `force` cuts those too. */
  stop(options?: { force: boolean }): Promise<void>;
}

export type OutputStream = "stdout" | "stderr";

export interface FileLock {
  release(): void;
}

/** Why a program that handles secrets must not go on. */
export interface Hazard {
  readonly variable: string;
  readonly effect: string;
}

/** The few things that Deno, Bun and Node do differently. Only the files of this folder name a runtime. */
export interface Runtime {
  readonly name: "bun" | "deno" | "node";
  /**
   * Listens, or rejects with the system's own `code` (`EADDRINUSE`, `EACCES`, …). Neither an answer
   * that takes long nor a silent client is allowed to harm another request.
   */
  serve(options: ServeOptions): Promise<HttpServer>;
  /**
   * Takes an exclusive flock(2) without waiting. The file is made (0600) when missing and never followed if it is a link.
   *
   * @returns undefined when another process holds it.
   * @throws {LoginError} LOCK_UNSUPPORTED where no such lock exists.
   */
  tryLock(path: string): Promise<FileLock | undefined>;
  /** The command that runs this program anew, as `word` and with no more rights than looking into the keyring takes. */
  helperCommand(word: string): readonly string[];
  /**
   * Writes some of these bytes and tells how many, or rejects with the system's own `code`. A reader that does not read keeps
   * nothing else waiting, nor the end of the process.
   */
  writeTo(stream: OutputStream, bytes: Uint8Array): Promise<number>;
  /** Writes all of what a command says before it ends, where there is a cheaper way than `writeTo`; rejects as that does. */
  writeLast?(stream: OutputStream, bytes: Uint8Array): Promise<void>;
  /** Writes at once, as far as the system takes it; throws its `code`. */
  writeNow(stream: OutputStream, bytes: Uint8Array): number;
  /** A variable that makes the runtime itself give away what passes through it, or run foreign code in it. */
  hazard(env: Readonly<Record<string, string | undefined>>): Hazard | undefined;
  /** No core dumps and no reading of our memory by other processes of the same user, as far as the runtime can. */
  protectMemory(): Promise<void>;
  /** Has the system end this process after so long, even while native code hangs; where the runtime can. */
  limitLife(seconds: number): Promise<void>;
}

/** The file to start: the entry of the sources, or the program's bundle, which the library's lies beside. */
export function entryUrl(ownUrl: string): string {
  if (ownUrl.endsWith(".ts")) return new URL("../main.ts", ownUrl).href;
  return ownUrl.replace(/\/mod\.js$/, "/cli.js");
}

/** Set by the build of the executable, which has no other runtime in it. */
declare const globalThis: { readonly IS_CODEX_LOGIN_EXECUTABLE?: true };

export async function loadRuntime(): Promise<Runtime> {
  if (globalThis.IS_CODEX_LOGIN_EXECUTABLE) {
    return (await import("./bun.ts")).bunRuntime;
  } else {
    if ("Deno" in globalThis) return (await import("./deno.ts")).denoRuntime;
    if ("Bun" in globalThis) return (await import("./bun.ts")).bunRuntime;
    return (await import("./node.ts")).nodeRuntime;
  }
}
