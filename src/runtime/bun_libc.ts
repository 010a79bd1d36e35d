/** The calls of the C library that Bun has no function for. */
export interface Libc {
  /** Exclusive and without waiting; a number is the errno of any failure but "somebody else holds it". */
  tryFlock(descriptor: number): "locked" | "busy" | number;
  disableCoreDumps(): void;
  alarm(seconds: number): void;
}

interface Symbols {
  flock(descriptor: number, operation: number): number;
  setrlimit(resource: number, limits: unknown): number;
  alarm(seconds: number): number;
  prctl?(option: number, a: number, b: number, c: number, d: number): number;
  __errno_location?(): number;
  __error?(): number;
}

const LOCK_EX_NB = 2 | 4;
const RLIMIT_CORE = 4;
const PR_SET_DUMPABLE = 4;

let loaded: Promise<Libc | undefined> | undefined;

export function loadLibc(): Promise<Libc | undefined> {
  return loaded ??= open();
}

async function open(): Promise<Libc | undefined> {
  const platform = process.platform;
  if (platform !== "linux" && platform !== "darwin") return undefined;
  // A constant would make other runtimes' tools try to resolve Bun's own module.
  const specifier = "bun:ffi";
  const ffi = await import(specifier);
  const names = platform === "darwin"
    ? ["libSystem.B.dylib"]
    : ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];
  const own = platform === "darwin" ? { __error: { args: [], returns: "ptr" } } : {
    __errno_location: { args: [], returns: "ptr" },
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  };
  for (const name of names) {
    try {
      const { symbols } = ffi.dlopen(name, {
        flock: { args: ["i32", "i32"], returns: "i32" },
        setrlimit: { args: ["i32", "ptr"], returns: "i32" },
        alarm: { args: ["u32"], returns: "u32" },
        ...own,
      });
      return wrap(symbols as Symbols, ffi);
    } catch {
      // Not this C library: the next name is for the other one.
    }
  }
  return undefined;
}

function wrap(
  symbols: Symbols,
  ffi: { read: { i32(pointer: number, offset: number): number }; ptr(bytes: Uint8Array): unknown },
): Libc {
  return {
    tryFlock(descriptor): ReturnType<Libc["tryFlock"]> {
      if (symbols.flock(descriptor, LOCK_EX_NB) === 0) return "locked";
      const errno = ffi.read.i32((symbols.__errno_location ?? symbols.__error)?.() ?? 0, 0);
      // The runtime may have made calls of its own since, which leave other numbers: only those that
      // mean "no locks here" are taken at their word.
      return NO_LOCKS.has(errno) ? errno : "busy";
    },
    disableCoreDumps(): void {
      const none = new Uint8Array(16);
      symbols.setrlimit(RLIMIT_CORE, ffi.ptr(none));
      symbols.prctl?.(PR_SET_DUMPABLE, 0, 0, 0, 0);
    },
    alarm: (seconds) => void symbols.alarm(seconds),
  };
}

/** ENOLCK, ENOSYS and EOPNOTSUPP of Linux and macOS. */
const NO_LOCKS: ReadonlySet<number> = new Set([37, 38, 95, 77, 78, 102, 45]);
