import { type Config, configForHost, resolveConfig } from "./config.ts";
import { LoginError, toLoginError } from "./errors.ts";
import {
  checkOptions,
  type CommonOptions,
  type LibraryFunction,
  type SignInOptions,
} from "./library_options.ts";
import { createLibraryWorld } from "./library_world.ts";
import { printable } from "./printable.ts";
import { withHomeEnvironment } from "./home_environment.ts";
import type { World } from "./world.ts";

/** What one call of a host works with. */
export interface LibrarySession {
  readonly world: World;
  readonly config: Config;
  readonly note: (message: string) => void;
  /** Lets go of the host's signal. */
  close(): void;
}

/**
 * Settles a host's options into a World and a Config. Nothing of the process is changed, and nothing is written.
 *
 * @param name the function that was called.
 * @throws {LoginError} USAGE, CONFIG, ISSUER_INVALID, or CANCELED when the signal has aborted already.
 */
export async function openLibrarySession(
  name: LibraryFunction,
  options: CommonOptions & Pick<SignInOptions, "issuer" | "clientId">,
): Promise<LibrarySession> {
  checkOptions(name, options);
  const { store } = options;
  const { signal, close } = followSignal(options.signal);
  try {
    signal.throwIfAborted();
    const env = options.env ?? process.env;
    const bare = await createLibraryWorld({
      // A token there is the person's, and a store of the program's own another account.
      env: typeof store === "object" ? { ...env, CODEX_ACCESS_TOKEN: undefined } : env,
      fetch: options.fetch,
      signal,
    });
    const resolved = await resolveConfig(bare, {
      codexHome: options.codexHome,
      issuer: options.issuer,
      clientId: options.clientId,
      overrides: toOverrides(options),
    });
    const world = await withHomeEnvironment(bare, resolved.home);
    const hosted = options.originator
      ? configForHost(world, resolved, options.originator)
      : resolved;
    const hazard = world.runtime.hazard(world.env);
    const notes = hazard ? [`${hazard.variable} is set: ${hazard.effect}.`] : [];
    signal.throwIfAborted();
    return {
      world,
      config: {
        ...hosted,
        store: typeof store === "object" ? store : hosted.store,
        notes: [...notes, ...hosted.notes],
      },
      note: (message) => tell(options.onNote, printable(message)),
      close,
    };
  } catch (thrown) {
    close();
    throw toLoginError(thrown);
  }
}

/**
 * Does something for a host and lets go of its signal.
 *
 * @throws {LoginError}
 */
export async function withLibrarySession<T>(
  name: LibraryFunction,
  options: CommonOptions,
  work: (session: LibrarySession) => Promise<T>,
): Promise<T> {
  const session = await openLibrarySession(name, options);
  try {
    return await work(session);
  } catch (thrown) {
    throw toLoginError(thrown);
  } finally {
    session.close();
  }
}

/** The host's signal as ours: whatever its reason is, ours is a LoginError that holds nothing of it. */
function followSignal(
  theirs: AbortSignal | undefined,
): Pick<LibrarySession, "close"> & { readonly signal: AbortSignal } {
  const ending = new AbortController();
  const abort = (): void =>
    ending.abort(new LoginError("CANCELED", "The program that asked cancelled it"));
  if (theirs?.aborted) abort();
  theirs?.addEventListener("abort", abort, { once: true });
  return {
    signal: ending.signal,
    close: () => theirs?.removeEventListener("abort", abort),
  };
}

/** Each value as TOML has it: JSON's strings and lists are TOML's too. */
function toOverrides({ settings = {}, store }: CommonOptions): string[] {
  const all = typeof store === "string"
    ? { ...settings, cli_auth_credentials_store: store }
    : settings;
  return Object.entries(all).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
}

/** What a host does wrong when it is told something is no failure of the login. */
function tell(onNote: CommonOptions["onNote"], message: string): void {
  try {
    onNote?.(message);
  } catch {
    // Its own affair.
  }
}
