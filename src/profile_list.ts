import type { Config } from "./config.ts";
import { fittingMarker } from "./credentials/active_profile.ts";
import type { Credentials } from "./credentials/auth_file.ts";
import { inspectExchange } from "./credentials/profile_exchange.ts";
import {
  listProfileNames,
  type ProfileMarker,
  readMarker,
  readProfile,
} from "./credentials/profile_folder.ts";
import { LoginError } from "./errors.ts";
import { openFileStore } from "./profiles.ts";
import type { World } from "./world.ts";

/** A login of this CODEX_HOME. */
export interface Profile {
  /** Null for a login in use that nobody named. */
  readonly name: string | null;
  readonly isActive: boolean;
  readonly login: Credentials | LoginError;
}

/** How often to look again when profiles change places meanwhile. */
const ATTEMPTS = 5;

/**
 * All logins of this CODEX_HOME, the one in use first. It asks nobody, takes no lock and changes nothing; what cannot be read
 * is listed with the reason.
 *
 * @throws {LoginError} STORE_UNSUPPORTED, or CREDENTIALS_UNREADABLE for the folder as a whole
 */
export async function listProfiles(
  world: World,
  config: Config,
  tell: (note: string) => void,
): Promise<readonly Profile[]> {
  const store = await openFileStore(world, config);
  for (let attempt = 1;; attempt++) {
    const { names, marker } = await readArrangement(config.home);
    const active = await readable(() => store.load());
    const kept: Profile[] = [];
    for (const name of names) {
      const login = await readable(async () => (await readProfile(config.home, name))?.credentials);
      if (login) kept.push({ name, isActive: false, login });
    }
    const after = await readArrangement(config.home);
    if (attempt < ATTEMPTS && describe(after) !== describe({ names, marker })) continue;
    if (!active) return kept;
    if (active instanceof LoginError) {
      return [{ name: null, isActive: true, login: active }, ...kept];
    }
    if (marker instanceof LoginError) {
      tell(`${marker.message}; to name the login in use again: ${marker.hint}`);
    }
    const fitting = marker instanceof LoginError ? undefined : fittingMarker(marker, names, active);
    return [{ name: fitting?.name ?? null, isActive: true, login: active }, ...kept];
  }
}

interface Arrangement {
  /** Of the logins that are kept. */
  readonly names: readonly string[];
  readonly marker: ProfileMarker | LoginError | undefined;
}

/** As it will be once an exchange that may be under way is finished or undone. */
async function readArrangement(home: string): Promise<Arrangement> {
  const halfway = await inspectExchange(home);
  const names = await listProfileNames(home);
  if (!halfway || halfway.stage === "untouched") {
    return { names, marker: await readable(() => readMarker(home)) };
  }
  const { stage, marker } = halfway;
  return {
    names: stage === "away" ? names.filter((name) => name !== marker?.name) : names,
    marker,
  };
}

function describe({ names, marker }: Arrangement): string {
  return JSON.stringify([names, marker instanceof LoginError ? marker.code : marker ?? null]);
}

async function readable<T>(read: () => Promise<T>): Promise<T | LoginError> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof LoginError) return thrown;
    throw thrown;
  }
}
