import type { SavedLogin } from "./accept_tokens.ts";
import { toLoginError } from "./errors.ts";
import { type LibrarySession, openLibrarySession } from "./library_session.ts";
import type { StartedLogin } from "./started_login.ts";

/** Who signed in, and where the login is kept. `path` is null where that is no file. */
export type LoginResult = SavedLogin;

/** A sign-in under way. */
export interface Login {
  /**
   * Resolves when the login is stored and the last page is delivered; rejects with the LoginError that ended it, and then an
   * earlier login is as it was. Nobody has to look at it.
   */
  readonly done: Promise<LoginResult>;
  /** Ends it: `done` rejects with CANCELED, unless the login is being stored already. */
  cancel(): void;
}

/**
 * Begins a sign-in for a host.
 *
 * @param name the function that the host called.
 * @throws {LoginError}
 */
export async function begin<Shown extends object>(
  name: Parameters<typeof openLibrarySession>[0],
  options: Parameters<typeof openLibrarySession>[1],
  start: (session: LibrarySession) => Promise<{ started: StartedLogin; shown: Shown }>,
): Promise<Shown & Login> {
  const session = await openLibrarySession(name, options);
  try {
    const { started, shown } = await start(session);
    const done = finish(started).finally(session.close);
    done.catch(() => {});
    return { ...shown, done, cancel: () => started.cancel() };
  } catch (thrown) {
    session.close();
    throw toLoginError(thrown);
  }
}

async function finish({ saved, ended }: StartedLogin): Promise<LoginResult> {
  try {
    return await saved;
  } catch (thrown) {
    throw toLoginError(thrown);
  } finally {
    await ended;
  }
}
