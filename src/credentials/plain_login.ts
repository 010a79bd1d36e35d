import { type FoundFile, loadFileReading } from "../runtime/file_reading.ts";
import { findFile } from "../small_file.ts";
import { type Credentials, MAX_AUTH_FILE_BYTES, parseAuthFile } from "./auth_file.ts";
import { intentPath } from "./profile_paths.ts";

/**
 * Reads `auth.json` in the two usual cases, a whole file of our own and none at all, which takes so little that `status` need not
 * load anything else.
 *
 * @returns undefined for everything else: that is for who looks more closely, and knows what to say of it.
 */
export async function readPlainLogin(
  home: string,
  path: string,
): Promise<{ readonly credentials: Credentials | undefined } | undefined> {
  try {
    const { read } = await loadFileReading();
    const text = await read(path, requirePlain);
    if (text === undefined) {
      return await isNobody(home, path) ? { credentials: undefined } : undefined;
    }
    const credentials = parseAuthFile(text);
    return credentials && { credentials };
  } catch {
    return undefined;
  }
}

/** While profiles change places the file is away for a moment: it is looked for once more after the sign of that. */
async function isNobody(home: string, path: string): Promise<boolean> {
  return !await findFile(intentPath(home)) && !await findFile(path);
}

function requirePlain({ isRegular, links, uid, bytes }: FoundFile): void {
  const own = process.getuid?.();
  const isOurs = links === 1 && (own === undefined || uid === own);
  if (!isRegular || !isOurs || bytes > MAX_AUTH_FILE_BYTES) throw new Error("something else");
}
