/** Calls of the C library that Bun has no function for, or that take too long by its own. */
export interface Libc {
  /** Orphans of children become children. */
  adoptOrphans(): void;
  /** What an ended child has used in all; undefined when it could not be waited for. */
  wait(pid: number): { readonly status: number; readonly usage: BigInt64Array } | undefined;
  /** Whether a connection to this port of loopback is taken. It is cut at once. */
  tryConnect(port: number): boolean;
  /** Bun's own pause is of whole milliseconds. */
  pause(microseconds: number): void;
}

interface Symbols {
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  wait4(pid: number, status: unknown, options: number, usage: unknown): number;
  socket(domain: number, type: number, protocol: number): number;
  connect(descriptor: number, address: unknown, length: number): number;
  close(descriptor: number): number;
  usleep(microseconds: number): number;
}

const PR_SET_CHILD_SUBREAPER = 36;
const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
/** A signal may interrupt the wait. */
const TRIES = 100;

let loaded: Promise<Libc> | undefined;

/** @throws {Error} elsewhere than on Linux. */
export function loadLibc(): Promise<Libc> {
  return loaded ??= open();
}

async function open(): Promise<Libc> {
  // A constant would make other runtimes' tools try to resolve Bun's own module.
  const specifier = "bun:ffi";
  const { dlopen, ptr } = await import(specifier);
  const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  for (const name of ["libc.so.6", musl]) {
    try {
      const { symbols } = dlopen(name, {
        prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
        wait4: { args: ["i32", "ptr", "i32", "ptr"], returns: "i32" },
        socket: { args: ["i32", "i32", "i32"], returns: "i32" },
        connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
        close: { args: ["i32"], returns: "i32" },
        usleep: { args: ["u32"], returns: "i32" },
      });
      return wrap(symbols as Symbols, ptr);
    } catch {
      // Not this C library: the next name is for the other one.
    }
  }
  throw new Error("this is measured on Linux only");
}

function wrap(symbols: Symbols, pointerTo: (bytes: ArrayBufferView) => unknown): Libc {
  return {
    adoptOrphans: () => void symbols.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
    wait(pid): ReturnType<Libc["wait"]> {
      const status = new Int32Array(1);
      const usage = new BigInt64Array(18);
      for (let i = 0; i < TRIES; i++) {
        if (symbols.wait4(pid, pointerTo(status), 0, pointerTo(usage)) === pid) {
          return { status: status[0] ?? 0, usage };
        }
      }
      return undefined;
    },
    tryConnect(port): boolean {
      const address = new Uint8Array(16);
      address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
      const descriptor = symbols.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0);
      const isTaken = symbols.connect(descriptor, pointerTo(address), address.length) === 0;
      symbols.close(descriptor);
      return isTaken;
    },
    pause: (microseconds) => void symbols.usleep(microseconds),
  };
}
