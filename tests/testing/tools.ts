import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Where everything that is missing is an error. */
export const IS_REQUIRED = process.env["CI"] === "true";

/** Why a test is skipped because a program is missing; false when it is there, or when CI demands it. */
export function missingTool(program: string, ...parameters: string[]): string | false {
  const { error } = spawnSync(program, parameters, { stdio: "ignore" });
  return error && !IS_REQUIRED ? `${program} is not installed` : false;
}

/** Debian's Chromium, or the one named by CHROMIUM. */
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export function missingChromium(): string | false {
  return !existsSync(CHROMIUM) && !IS_REQUIRED
    ? `there is no Chromium at ${CHROMIUM} (set CHROMIUM)`
    : false;
}

/** Why a test that mounts, or makes another namespace, is skipped; `flags` are those of unshare(1). */
export function missingNamespaces(flags: string): string | false {
  const works = spawnSync("unshare", [flags, "true"], { stdio: "ignore" }).status === 0;
  return works || IS_REQUIRED ? false : "namespaces take root on Linux";
}

/** Why a test that acts as two users is skipped. */
export function missingRoot(): string | false {
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  return isRoot || IS_REQUIRED ? false : "only root can act as another user";
}
