import { LoginError } from "../errors.ts";
import type { HostStore } from "../host_store.ts";
import {
  type Credentials,
  formatAuthFile,
  MAX_AUTH_FILE_BYTES,
  parseAuthFile,
} from "./auth_file.ts";
import type { SentMark, SentToken } from "./sent_mark.ts";
import type { CredentialPlace, CredentialStore } from "./store.ts";

type Queue = <T>(work: () => Promise<T>) => Promise<T>;

/** Whoever opens the same one waits for each other, and knows what was sent. */
interface Shared {
  readonly writing: Queue;
  readonly renewing: Queue;
  readonly sent: Map<string, SentToken>;
}

const SHARED = new WeakMap<HostStore, Shared>();

/** A host's store as one of ours. Its failures are ours: CREDENTIALS_UNREADABLE and SAVE_FAILED. */
export function createHostStore(host: HostStore): CredentialStore & CredentialPlace {
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
    const text = await host.read().catch((thrown) => {
      throw failed("CREDENTIALS_UNREADABLE", "read", thrown);
    });
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
          await host.write(formatAuthFile(document)).catch((thrown) => {
            throw failed("SAVE_FAILED", "written", thrown);
          });
        }
        return { earlier, keptAside: undefined };
      }),
    remove: (isExpected) =>
      writing(async () => {
        if (!isExpected(await loadUnlessDamaged())) return false;
        await host.remove().catch((thrown) => {
          throw failed("SAVE_FAILED", "emptied", thrown);
        });
        return true;
      }),
  };
}

/** What a host throws may hold what it was given: only its class is told. */
function failed(
  code: "CREDENTIALS_UNREADABLE" | "SAVE_FAILED",
  what: string,
  thrown: unknown,
): LoginError {
  const reason = thrown instanceof Error ? thrown.name : typeof thrown;
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
