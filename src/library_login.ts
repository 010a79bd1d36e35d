import { toLoginError } from "./errors.ts";
import type { LibraryFunction } from "./library_options.ts";
import { type LibrarySession, openLibrarySession } from "./library_session.ts";
import type { LoginHandle, LoginResult } from "./login_handle.ts";
import type { StartedLogin } from "./started_login.ts";

/**
 * Begins a sign-in for a host.
 *
 * @param name the function that the host called.
 * @throws {LoginError}
 */
export async function begin<Shown extends object>(
  name: LibraryFunction,
  options: Parameters<typeof openLibrarySession>[1],
  start: (session: LibrarySession) => Promise<{ started: StartedLogin; shown: Shown }>,
): Promise<Shown & LoginHandle> {
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
