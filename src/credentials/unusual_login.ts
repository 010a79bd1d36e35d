import type { Credentials } from "./auth_file.ts";
import { resolveAuthPath } from "./auth_path.ts";
import { inspectExchange } from "./profile_exchange.ts";
import { readCredentials } from "./stored_file.ts";

/**
 * Reads the login of a home where it is behind a link, is being written in place, is away because profiles change places, or cannot
 * be read.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function readUnusualLogin(home: string): Promise<Credentials | undefined> {
  const { target } = await resolveAuthPath(home, "CREDENTIALS_UNREADABLE");
  const credentials = await readCredentials(target);
  if (credentials) return credentials;
  // Profiles may be changing places this moment, or were when a process died.
  const halfway = await inspectExchange(home);
  return await readCredentials(halfway?.path ?? target) ?? await readCredentials(target);
}
