import { constants } from "node:fs";
import { access, lstat, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { followLink, resolveAuthPath } from "../credentials/auth_path.ts";
import { isMountPoint } from "../credentials/mounted_file.ts";
import { systemCode, toLoginError } from "../errors.ts";
import { describeSystemError } from "../system_error.ts";
import {
  type Check,
  type Examined,
  fail,
  failWith,
  FILES_MS,
  type Finding,
  ok,
  shellWord,
  skip,
  warn,
} from "./check.ts";

/** Less than a login with its temporary copy takes, and less than leaves room for a few of them. In bytes. */
const TOO_LITTLE = 256 << 10;
const LITTLE = 16 << 20;

/** CODEX_HOME: whether it is a folder that a login can be kept in. */
export function homeChecks({ world, config: { home }, obstacle }: Examined): Check[] {
  const isKnown = home !== "";
  const inHome = (id: string, run: () => Promise<Finding>): Check => ({
    id,
    limitMs: FILES_MS,
    ...(isKnown ? { needs: "home.folder" } : {}),
    run: () => isKnown ? run() : skip("nobody knows where the home folder is"),
  });
  return [
    {
      id: "home.folder",
      limitMs: FILES_MS,
      run: () =>
        isKnown || !obstacle
          ? examineFolder(home)
          : failWith(obstacle, "HOME or CODEX_HOME names a folder"),
    },
    inHome("home.auth_file", () => examineAuthFile(home)),
    inHome("home.space", () => examineSpace(home, world.platform)),
  ];
}

async function examineFolder(home: string): Promise<Finding> {
  const linkNote = await lstat(home).then(async (found) =>
    found.isSymbolicLink() ? `, a link to ${await followLink(home)}` : ""
  ).catch(() => "");
  const found = await stat(home).catch((thrown) => describeMissing(thrown));
  const remedy = "point CODEX_HOME, or --codex-home, at a folder of your own";
  if (typeof found === "string") {
    return found === "" && linkNote === ""
      ? ok(`${home} does not exist; a sign-in makes it`)
      : fail(`${home}${linkNote}: ${found || "it leads to nothing"}`, "a folder", remedy);
  }
  const shown = `${home}${linkNote}`;
  if (!found.isDirectory()) return fail(`${shown} is not a folder`, "a folder", remedy);
  const mode = formatMode(found.mode);
  const uid = process.getuid?.();
  if (uid !== undefined && found.uid !== uid) {
    return fail(
      `${shown} belongs to user ${found.uid}; this is user ${uid}`,
      "a folder of your own",
      `sudo chown -R ${uid} ${shellWord(home)}, or another CODEX_HOME`,
    );
  }
  const denied = await access(home, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => undefined,
    describeSystemError,
  );
  if (denied) {
    return fail(`${shown} (${mode}) cannot be used: ${denied}`, "readable and writable", remedy);
  }
  if (uid !== undefined && (found.mode & 0o022) !== 0) {
    return warn(
      `${shown} can be written to by others (${mode})`,
      "0700, or nobody else can write to it",
      `chmod go-w ${shellWord(home)}`,
    );
  }
  return ok(uid === undefined ? shown : `${shown} (${mode}, yours)`);
}

/** Empty for what is just not there. */
function describeMissing(thrown: unknown): string {
  return systemCode(thrown) === "ENOENT" ? "" : describeSystemError(thrown);
}

export function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Where auth.json leads to, by the rules of those who replace it. */
async function examineAuthFile(home: string): Promise<Finding> {
  try {
    const { path, target, size } = await resolveAuthPath(home);
    if (size === undefined) {
      return ok(
        path === target
          ? "there is no auth.json"
          : `auth.json leads to ${target}, which does not exist yet`,
      );
    }
    const link = path === target ? "a file of its own" : `a link of yours to ${target}`;
    const mount = await isMountPoint(target)
      ? ", mounted by itself: it is written in place, and profiles cannot be used"
      : "";
    return ok(`auth.json is ${link}, ${size} bytes${mount}`);
  } catch (thrown) {
    return failWith(
      toLoginError(thrown),
      "a regular file of your own with one name, or a link of yours to one",
    );
  }
}

async function examineSpace(home: string, platform: string): Promise<Finding> {
  const folder = await existingFolder(home);
  const found = await statfs(folder).catch(describeSystemError);
  if (typeof found === "string") return skip(`the system does not tell: ${found}`);
  const free = found.bavail * found.bsize;
  const measured = `${formatBytes(free)} free`;
  const remedy = `make room on the disk of ${folder}`;
  // Some file systems have no such number and say 0 of 0.
  if (platform !== "win32" && found.files > 0 && found.ffree === 0) {
    return fail(`${measured}, but no more files can be made there`, "room for a few files", remedy);
  }
  if (free < TOO_LITTLE) return fail(measured, `at least ${formatBytes(LITTLE)}`, remedy);
  if (free < LITTLE) return warn(measured, `at least ${formatBytes(LITTLE)}`, remedy);
  return ok(measured);
}

/** The folder itself, or the nearest above it that exists. */
async function existingFolder(path: string): Promise<string> {
  for (let folder = path;; folder = dirname(folder)) {
    if (folder === dirname(folder)) return folder;
    if (await stat(folder).then((found) => found.isDirectory(), () => false)) return folder;
  }
}

function formatBytes(bytes: number): string {
  const units = [["GB", 1e9], ["MB", 1e6], ["KB", 1e3]] as const;
  const [unit, size] = units.find(([, one]) => bytes >= one) ?? ["bytes", 1];
  return `${Math.floor(bytes / size)} ${unit}`;
}
