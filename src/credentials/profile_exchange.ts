import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import type { RandomBytes } from "../oauth/pkce.ts";
import {
  makePrivate,
  removeLeftovers,
  replaceFile,
  saveFailed,
  syncFolder,
} from "./atomic_file.ts";
import { checkOwnFile, checkOwnFolder, resolveAuthPath } from "./auth_path.ts";
import {
  Marker,
  type ProfileMarker,
  readRecord,
  removeMarker,
  writeMarker,
} from "./profile_folder.ts";
import { intentPath, profilePath, profilesFolder } from "./profile_paths.ts";
import { removeFile } from "./file_removal.ts";

/** One login goes to `profiles/`, another comes to `auth.json`. */
export interface Exchange {
  /** What is in `auth.json` now, and the name that it is kept under; undefined when nobody is signed in. */
  readonly from: ProfileMarker | undefined;
  /** The kept login that is to be used; undefined when a new login comes, which has no name. */
  readonly to: ProfileMarker | undefined;
  /** The file that comes into place: that of `to`, or one that was written for this beside `auth.json`. */
  readonly source: string;
}

/** Says that an exchange is under way. As long as it exists, a missing `auth.json` does not mean that nobody is signed in. */
const Intent = v.object({ from: v.nullable(Marker), to: v.nullable(Marker) });

/**
 * Exchanges logins by renaming, so that at every moment each of them exists once: before, after, or, if the process dies
 * between, once the next one to lock this home has called recoverExchange(). Only with all locks held.
 *
 * @param target where `auth.json` leads to.
 * @throws {LoginError} SAVE_FAILED; both logins are where they were.
 */
export async function exchangeLogins(
  randomBytes: RandomBytes,
  home: string,
  target: string,
  exchange: Exchange,
): Promise<void> {
  const { from, source } = exchange;
  try {
    await makePrivate(source);
    if (from) await makePrivate(target);
    await removeLeftovers(intentPath(home));
  } catch (thrown) {
    throw saveFailed(target, thrown);
  }
  try {
    for (const step of exchangeSteps(randomBytes, home, target, exchange)) await step();
  } catch (thrown) {
    await recoverExchange(randomBytes, home).catch(() => {});
    // Once the new one is in place, it is used, and what is missing is made up for at the next start.
    if (await isThere(source) || !await isThere(target)) throw saveFailed(target, thrown);
  }
}

/** Every change of the disk is one step: the process may die after any of them. */
export function exchangeSteps(
  randomBytes: RandomBytes,
  home: string,
  target: string,
  { from, to, source }: Exchange,
): readonly (() => Promise<void>)[] {
  const intent = JSON.stringify({ from: from ?? null, to: to ?? null });
  return [
    () => replaceFile(intentPath(home), intent, randomBytes),
    ...(from ? [() => move(home, target, profilePath(home, from.name))] : []),
    () => move(home, source, target),
    () => to ? writeMarker(home, to, randomBytes) : removeMarker(home),
    () => endExchange(home),
  ];
}

/**
 * Finishes or undoes what a process left that died in the middle of an exchange; costs the opening of a file that is not
 * there when nobody did. Only with all locks held.
 *
 * @returns whether there was anything to do.
 * @throws {LoginError} CREDENTIALS_CORRUPT, CREDENTIALS_UNREADABLE or SAVE_FAILED
 */
export async function recoverExchange(
  randomBytes: RandomBytes,
  home: string,
): Promise<boolean> {
  const halfway = await inspectExchange(home);
  if (!halfway) return false;
  try {
    switch (halfway.stage) {
      case "away":
        await move(home, halfway.path, halfway.target);
        break;
      case "placed":
        if (halfway.marker) await writeMarker(home, halfway.marker, randomBytes);
        else await removeMarker(home);
        break;
      case "overtaken":
        await removeMarker(home);
        break;
      case "untouched":
        break;
    }
    await endExchange(home);
  } catch (thrown) {
    throw saveFailed(halfway.target, thrown);
  }
  return true;
}

/** Where an exchange stopped, or is at this moment. */
export interface Halfway {
  /**
   * - `untouched`: nothing was moved;
   * - `away`: the former login is away and nothing came; it will be put back, so it is still the one in use;
   * - `placed`: what was to come is in place;
   * - `overtaken`: while the former one was away, another program saved a login of its own.
   */
  readonly stage: "untouched" | "away" | "placed" | "overtaken";
  /** The login in use is in this file, if there is one. */
  readonly path: string;
  /** Where `auth.json` leads to. */
  readonly target: string;
  /** Its name; without meaning in `untouched`, where `active.json` says it. */
  readonly marker: ProfileMarker | undefined;
}

/**
 * Looks without changing anything, for those who only read.
 *
 * @returns what an exchange has come to; undefined when none is under way.
 * @throws {LoginError} CREDENTIALS_CORRUPT or CREDENTIALS_UNREADABLE
 */
export async function inspectExchange(home: string): Promise<Halfway | undefined> {
  // Where something else has the place of the folder, nobody began an exchange, and a login must still be possible.
  const isOwn = await checkOwnFolder(profilesFolder(home), "SAVE_FAILED").catch(() => false);
  if (!isOwn) return undefined;
  const intent = await readRecord(
    intentPath(home),
    Intent,
    "look into its folder for the login that was in use, then remove the damaged file",
  );
  if (!intent) return undefined;
  const { target, size } = await resolveAuthPath(home, "CREDENTIALS_UNREADABLE");
  const { from, to } = intent;
  const away = from ? profilePath(home, from.name) : undefined;
  const isAway = away !== undefined && await isThere(away);
  const isStored = size !== undefined;
  const isPlaced = to ? !await isThere(profilePath(home, to.name)) : isAway && isStored;
  const at = { path: target, target, marker: undefined };
  if (isPlaced) return { ...at, stage: "placed", marker: to ?? undefined };
  if (!isAway) return { ...at, stage: "untouched" };
  if (isStored) return { ...at, stage: "overtaken" };
  return { stage: "away", path: away, target, marker: from ?? undefined };
}

/** The folder that gains a login is synced first: a power cut may keep the old name of it, never neither. */
async function move(home: string, from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
  await syncFolder(dirname(from));
  await syncFolder(home);
}

async function endExchange(home: string): Promise<void> {
  await removeFile(intentPath(home));
  await syncFolder(profilesFolder(home));
}

async function isThere(path: string): Promise<boolean> {
  return await checkOwnFile(path, "CREDENTIALS_UNREADABLE") !== undefined;
}
