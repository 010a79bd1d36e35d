import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const IS_REQUIRED = process.env["CI"] === "true";

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
