/** What the measurements use of Bun, which has no types here: they run on it because it tells what a child has used. */
export interface BunChild {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly stdin: { write(text: string): unknown; flush(): unknown; end(): unknown };
  kill(signal: string): void;
  resourceUsage(): BunUsage | undefined;
}

export interface BunUsage {
  /** Microseconds. */
  readonly cpuTime: { readonly total: bigint | number };
}

export interface BunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: "ignore" | "pipe" | Uint8Array;
  readonly stdout: "ignore" | "pipe";
  readonly stderr: "ignore" | "pipe";
  /** After so many milliseconds it is ended. */
  readonly timeout?: number;
}

interface BunRuntime {
  spawn(command: readonly string[], options: BunOptions): BunChild;
  spawnSync(command: readonly string[], options: BunOptions): {
    readonly exitCode: number | null;
    readonly stdout?: Uint8Array;
    readonly stderr?: Uint8Array;
    readonly resourceUsage: BunUsage;
  };
}

export const BUN = (globalThis as unknown as { readonly Bun: BunRuntime }).Bun;
