import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { resolveAuthPath } from "../credentials/auth_path.ts";
import { profilesFolder } from "../credentials/profile_paths.ts";
import {
  type Check,
  combine,
  type Examined,
  fail,
  FILES_MS,
  type Finding,
  ok,
  shellWord,
  skip,
  warn,
} from "./check.ts";
import { formatMode } from "./home.ts";

/** A file that holds, or may hold, a login. */
const SECRET = /^\.?auth\.json(\.|$)/;
/** What others must not write, as it decides where a login goes. */
const DECIDING: ReadonlySet<string> = new Set(["config.toml", ".env"]);

/** Owners and modes of all files in the home that are ours. */
export function permissionChecks({ world, config: { home } }: Examined): Check[] {
  return [{
    id: "home.permissions",
    limitMs: FILES_MS,
    needs: "home.folder",
    run: () =>
      home === "" || world.platform === "win32"
        ? skip("there are no modes to look at")
        : examine(home),
  }];
}

async function examine(home: string): Promise<Finding> {
  const target = await resolveAuthPath(home).then((at) => at.target, () => undefined);
  const profiles = profilesFolder(home);
  const names = async (folder: string): Promise<string[]> => await readdir(folder).catch(() => []);
  const inHome = (await names(home)).map((name) => ({ path: join(home, name), name }));
  const secret = [
    ...inHome.filter(({ name }) => SECRET.test(name) && !name.endsWith(".lock")),
    ...(await names(profiles)).map((name) => ({ path: join(profiles, name), name })),
    ...(target && dirname(target) !== home ? [{ path: target, name: "" }] : []),
  ].map(({ path }) => path);
  const deciding = [
    ...inHome.filter(({ name }) => DECIDING.has(name)).map(({ path }) => path),
    profiles,
  ];
  const findings = [
    ...await Promise.all(secret.map((path) => examineFile(path, 0o077, "be read by others"))),
    ...await Promise.all(deciding.map((path) => examineFile(path, 0o022, "be changed by others"))),
  ].flat();
  if (findings.length > 0) return combine(findings);
  if (secret.length === 0) return ok("no file holds a login");
  return ok(`files with logins that are readable by you only: ${secret.length}`);
}

/** @param forbidden bits of the mode. */
async function examineFile(
  path: string,
  forbidden: number,
  effect: string,
): Promise<Finding[]> {
  const found = await lstat(path).catch(() => undefined);
  // The mode of a link means nothing; what it leads to is looked at where it matters.
  if (!found || found.isSymbolicLink()) return [];
  const uid = process.getuid?.();
  if (found.uid !== uid) {
    const remedy = `sudo chown ${uid} ${shellWord(path)}`;
    return [
      fail(
        `${path} belongs to user ${found.uid}; this is user ${uid}`,
        "files of your own",
        remedy,
      ),
    ];
  }
  if ((found.mode & forbidden) === 0) return [];
  const expected = forbidden === 0o077 ? "0600" : "nobody else can write to it";
  const remedy = `chmod ${forbidden === 0o077 ? "600" : "go-w"} ${shellWord(path)}`;
  return [warn(`${path} can ${effect} (${formatMode(found.mode)})`, expected, remedy)];
}
