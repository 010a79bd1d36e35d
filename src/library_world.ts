import { basename } from "node:path";
import { createForeignFetch, type ForeignFetch } from "./foreign_fetch.ts";
import { createKeyringAccess, KEYRING_HELPER } from "./keyring_access.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { createSystemWorld } from "./system_world.ts";
import type { KeyringAccess, World } from "./world.ts";

export interface LibraryWorldOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: ForeignFetch | undefined;
  /** Aborts with a LoginError. */
  readonly signal: AbortSignal;
}

/**
 * The World inside somebody else's process: it writes to no stream, reads none, sets nothing of the process, and holds nothing
 * against its end.
 */
export async function createLibraryWorld(
  { env, fetch, signal }: LibraryWorldOptions,
): Promise<World> {
  const world = await createSystemWorld({
    signal,
    saved: () => {},
    hold: (work) => work(),
    interrupt: () => {},
  }, NO_KEYRING);
  const { routeBy, checkRoute: _, ...rest } = world;
  const { runtime } = rest;
  return {
    ...rest,
    env,
    runtime: { ...runtime, protectMemory: nothing, limitLife: nothing },
    stdin: { read: () => Promise.resolve(new Uint8Array()) },
    followStdin: nothing,
    isTerminal: () => Promise.resolve(false),
    openTerminal: () => Promise.resolve(undefined),
    columns: () => undefined,
    writeData: () => {},
    sendData: nothing,
    sendWords: nothing,
    writeWords: () => {},
    ...(fetch === undefined
      ? { ...routeBy?.(env), ...(routeBy && { routeBy }) }
      : { fetch: createForeignFetch(fetch) }),
    keyring: openKeyring(runtime, env),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

const NO_KEYRING: KeyringAccess = () =>
  Promise.resolve({
    failure: "codex-login is built into another program here, which cannot start its helper",
    isAbsent: true,
  });

/**
 * Through our own helper process; but inside a program that was bundled or compiled as a whole, or an editor, what is started
 * would be that program once more: there no keyring is used.
 */
function openKeyring(runtime: Runtime, env: LibraryWorldOptions["env"]): KeyringAccess {
  const isOwnFile = /\/(src\/library_world\.ts|dist\/mod\.mjs)$/.test(import.meta.url ?? "");
  const isPlainRuntime = /^(node|nodejs|bun|deno)[\d.-]*(\.exe)?$/i.test(
    basename(process.execPath),
  );
  if (!isOwnFile || !isPlainRuntime) return NO_KEYRING;
  return createKeyringAccess(runtime.helperCommand(KEYRING_HELPER), env);
}
