import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { createForeignFetch, type ForeignFetch } from "./foreign_fetch.ts";
import { createKeyringAccess } from "./keyring_access.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { readSmallFile } from "./small_file.ts";
import { createSystemWorld } from "./system_world.ts";
import { KEYRING_HELPER, type KeyringAccess, type World } from "./world.ts";

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
    answerData: nothing,
    answerWords: nothing,
    writeWords: () => {},
    ...(fetch === undefined
      ? { ...routeBy?.(env), ...(routeBy && { routeBy }) }
      : { fetch: createForeignFetch(fetch) }),
    keyring: openKeyring(runtime, env),
  };
}

const MAX_MANIFEST_BYTES = 64 << 10;

const nothing = (): Promise<void> => Promise.resolve();

const NO_KEYRING: KeyringAccess = () =>
  Promise.resolve({
    failure: "codex-login is built into another program here, which cannot start its helper",
    isAbsent: true,
  });

/**
 * Through our own helper process; but inside a program that was bundled or compiled as a whole, or an editor, what is started
 * would be that program once more: there no keyring is used. Found out when the keyring is needed, because a file is read.
 */
function openKeyring(runtime: Runtime, env: LibraryWorldOptions["env"]): KeyringAccess {
  let opening: Promise<KeyringAccess> | undefined;
  return async (steps) => {
    opening ??= hasHelper(import.meta.url).then((can) =>
      can ? createKeyringAccess(runtime.helperCommand(KEYRING_HELPER), env) : NO_KEYRING
    );
    return await (await opening)(steps);
  };
}

/** Whether this code lies in a file of ours, in the sources or in our package, and a plain runtime runs it. */
async function hasHelper(ownUrl = ""): Promise<boolean> {
  if (!/^(node|nodejs|bun|deno)[\d.-]*(\.exe)?$/i.test(basename(process.execPath))) return false;
  if (/^file:.*\/src\/library_world\.ts$/.test(ownUrl)) return true;
  if (!/^file:.*\/dist\/mod\.js$/.test(ownUrl)) return false;
  // Others too call what they bundle dist/mod.js.
  const manifest = new URL("../package.json", ownUrl);
  const text = await readSmallFile(fileURLToPath(manifest), MAX_MANIFEST_BYTES, Error)
    .catch(() => undefined);
  return text !== undefined && /^\s*\{\s*"name":\s*"codex-login",/.test(text);
}
