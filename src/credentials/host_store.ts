import { classOf, LoginError } from "../errors.ts";
import type { HostStore } from "../host_store.ts";
import {
  type Credentials,
  formatAuthFile,
  MAX_AUTH_FILE_BYTES,
  parseAuthFile,
} from "./auth_file.ts";
import type { SentMark, SentToken } from "./sent_mark.ts";
import type { World } from "../world.ts";
import type { CredentialPlace, CredentialStore } from "./store.ts";

type StepWorld = Pick<World, "sleep" | "signal">;

/** Milliseconds that a host may take for one of them. */
const STEP_MS = 30_000;

type Queue = <T>(work: () => Promise<T>) => Promise<T>;

/** Whoever opens the same one waits for each other, and knows what was sent. */
interface Shared {
  readonly writing: Queue;
  readonly renewing: Queue;
  readonly sent: Map<string, SentToken>;
}

const SHARED = new WeakMap<HostStore, Shared>();

/** A host's store as one of ours. Its failures are ours: CREDENTIALS_UNREADABLE and SAVE_FAILED. */
export function createHostStore(
  world: StepWorld,
  host: HostStore,
): CredentialStore & CredentialPlace {
  const shared = SHARED.get(host) ??
    { writing: createQueue(), renewing: createQueue(), sent: new Map() };
  SHARED.set(host, shared);
  const { writing, renewing, sent } = shared;
  const mark: SentMark = {
    read: (token) => Promise.resolve(sent.get(token)),
    write(token, what): Promise<void> {
      sent.clear();
      sent.set(token, what);
      return Promise.resolve();
    },
    clear: () => Promise.resolve(sent.clear()),
  };

  async function load(): Promise<Credentials | undefined> {
    const text = await step(world, "read", () => host.read());
    if (text === undefined) return undefined;
    if (typeof text !== "string" || text.length > MAX_AUTH_FILE_BYTES) {
      throw new LoginError("CREDENTIALS_CORRUPT", "The program's own store is damaged");
    }
    return parseAuthFile(text);
  }
  async function loadUnlessDamaged(): Promise<Credentials | undefined> {
    try {
      return await load();
    } catch (thrown) {
      if (thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT") return undefined;
      throw thrown;
    }
  }

  return {
    kind: "host",
    path: null,
    renewing: (critical) => renewing(() => critical(mark)),
    load,
    prove: async () => void await loadUnlessDamaged(),
    proveRemovable: () => Promise.resolve(),
    update: (change) =>
      writing(async () => {
        const earlier = await loadUnlessDamaged();
        const document = change(earlier);
        if (document) {
          await step(world, "written", () => host.write(formatAuthFile(document)));
        }
        return { earlier, keptAside: undefined };
      }),
    remove: (isExpected) =>
      writing(async () => {
        if (!isExpected(await loadUnlessDamaged())) return false;
        await step(world, "emptied", () => host.remove());
        return true;
      }),
  };
}

/**
 * One call to a host, which may throw at once, never come back, or answer without a promise. A write is never given up for a
 * signal: nobody would know what is stored.
 */
async function step<T>(
  { sleep, signal }: StepWorld,
  what: "read" | "written" | "emptied",
  call: () => Promise<T>,
): Promise<T> {
  const isRead = what === "read";
  const done = new AbortController();
  const stop = isRead ? AbortSignal.any([done.signal, signal]) : done.signal;
  const late = sleep(STEP_MS, stop).then(() => {
    if (isRead) signal.throwIfAborted();
    throw failed(what, "it did not answer in time");
  });
  try {
    return await Promise.race([
      (async () => await call())().catch((thrown) => {
        throw failed(what, classOf(thrown));
      }),
      late,
    ]);
  } finally {
    late.catch(() => {});
    done.abort();
  }
}

/** What a host throws may hold what it was given: only its class is told. */
function failed(what: string, reason: string): LoginError {
  const code = what === "read" ? "CREDENTIALS_UNREADABLE" : "SAVE_FAILED";
  return new LoginError(code, `The program's own store could not be ${what}`, { reason });
}

function createQueue(): Queue {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = tail.then(work);
    tail = done.catch(() => {});
    return done;
  };
}
