import { lstat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { resolveAuthPath } from "../credentials/auth_path.ts";
import { lockHolder } from "../credentials/lock.ts";
import { toLoginError } from "../errors.ts";
import type { World } from "../world.ts";
import {
  type Check,
  combine,
  type Examined,
  failWith,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** The locks of the home, each taken for a moment if it is free; none is made. */
export function lockChecks({ world, config: { home } }: Examined): Check[] {
  return [{
    id: "locks.holders",
    limitMs: FILES_MS,
    run: () => home === "" ? skip("nobody knows where the home folder is") : examine(world, home),
  }];
}

async function examine(world: World, home: string): Promise<Finding> {
  const target = await resolveAuthPath(home).then((at) => at.target, () => join(home, "auth.json"));
  const paths = new Set([
    join(home, "auth.lock"),
    `${target}.lock`,
    join(home, "auth.refresh.lock"),
    join(dirname(target), "auth.refresh.lock"),
  ]);
  const findings = (await Promise.all([...paths].map((path) => examineLock(world, path)))).flat();
  return findings.length > 0 ? combine(findings) : ok("nobody has made one yet");
}

async function examineLock(world: World, path: string): Promise<Finding[]> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return [];
  const name = basename(path);
  if (!found.isFile()) {
    return [{
      ...warn(`${path} is no regular file`, "a lock file", `remove ${path}`),
      status: "fail",
    }];
  }
  // Opening one that others may open as well would change its mode, and nothing is changed here.
  const isOthers = found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0;
  if (isOthers && world.platform !== "win32") {
    const holder = await lockHolder(path, "");
    return [holder === "" ? ok(`${name} is free, as far as the system tells`) : held(name, holder)];
  }
  try {
    const lock = await world.runtime.tryLock(path);
    if (!lock) return [held(name, await lockHolder(path))];
    lock.release();
    return [ok(`${name} is free`)];
  } catch (thrown) {
    return [failWith(toLoginError(thrown), "a lock that can be taken")];
  }
}

function held(name: string, holder: string): Finding {
  return warn(
    `${name} is held by ${holder}`,
    "free, but for moments",
    "run this again; if it stays so, end that process",
  );
}
