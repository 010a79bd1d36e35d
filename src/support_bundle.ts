import { constants } from "node:fs";
import { type FileHandle, unlink } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { SETTING_NAMES } from "./own_settings.ts";
import type { CheckResult } from "./doctor.ts";
import { LoginError, systemCode, toLoginError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import { type Clean, SECRET_NAME } from "./known_secrets.ts";
import { openNoFollow } from "./no_follow.ts";
import { readSettings } from "./settings.ts";
import { describeSystemError } from "./system_error.ts";
import { VERSION } from "./version.ts";

const LOG_LINES = 300;
/** Of the end of the log. */
const LOG_BYTES = 128 << 10;
const SETTINGS = 500;

/** The file for support, made before anything is looked at, so that what is wrong with it is told at once. */
export interface SupportBundle {
  readonly path: string;
  /** @throws {LoginError} OUTPUT_FAILED; then there is no file. */
  write(text: string): Promise<void>;
  /** Removes it, for who could not finish. */
  discard(): Promise<void>;
}

/**
 * Makes the file, 0600. Nothing is ever overwritten, and no link is followed.
 *
 * @throws {LoginError} OUTPUT_FAILED
 */
export async function createBundle(given: string): Promise<SupportBundle> {
  const path = resolve(given);
  const refuse = (thrown: unknown): LoginError =>
    new LoginError("OUTPUT_FAILED", `${path} cannot be written`, {
      reason: systemCode(thrown) === "EEXIST" ? "it exists already" : describeSystemError(thrown),
      hint: "name a file that does not exist yet, in a folder of your own: --bundle FILE",
    });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  let file: FileHandle;
  try {
    file = await openNoFollow(path, flags, 0o600);
  } catch (thrown) {
    throw refuse(thrown);
  }
  const discard = async (): Promise<void> => {
    await file.close().catch(() => {});
    await unlink(path).catch(() => {});
  };
  return {
    path,
    discard,
    async write(text): Promise<void> {
      try {
        await file.writeFile(text);
        await file.close();
      } catch (thrown) {
        await discard();
        throw refuse(thrown);
      }
    },
  };
}

/** Everything in it: the doctor's answer, the settings by name, the end of the log. */
export async function formatBundle(
  config: Config,
  results: readonly CheckResult[],
  clean: Clean,
  now: number,
): Promise<string> {
  return [
    `codex-login ${VERSION}, ${new Date(now).toISOString()}`,
    "Known secrets, and what looks like one, were cut out. Read it before you send it.",
    "",
    "== codex-login doctor --json",
    ...results.map((result) => JSON.stringify(result)),
    "",
    "== settings (values of other programs' settings are left out)",
    ...await describeSettings(config, clean),
    "",
    "== the end of codex-login.log",
    ...await readLogEnd(config, clean),
    "",
  ].join("\n");
}

async function describeSettings({ home }: Config, clean: Clean): Promise<string[]> {
  if (home === "") return ["nobody knows where the home folder is"];
  try {
    const lines = [...await readSettings(home, [])].flatMap(([name, { value, source }]) =>
      flatten(name, value, SETTING_NAMES.includes(name)).map((line) => clean(`${line} (${source})`))
    );
    return lines.length > 0 ? lines.slice(0, SETTINGS) : ["none"];
  } catch (thrown) {
    const { message, reason } = toLoginError(thrown);
    return [clean(`${message}: ${reason}`)];
  }
}

/** One line for each value: as it is where it is ours and no secret, else what kind it is. */
function flatten(name: string, value: unknown, isOurs: boolean): string[] {
  if (isJsonObject(value) && !(value instanceof Date)) {
    return Object.entries(value).flatMap(([member, one]) =>
      flatten(`${name}.${member}`, one, isOurs)
    );
  }
  const isShown = isOurs && !SECRET_NAME.test(name) || typeof value === "boolean";
  const kind = Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`;
  return [`${name} = ${isShown ? JSON.stringify(value) : `(${kind})`}`];
}

async function readLogEnd({ logDir }: Config, clean: Clean): Promise<string[]> {
  if (!isAbsolute(logDir)) return ["nobody knows where it is"];
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  let file: FileHandle | undefined;
  try {
    file = await openNoFollow(join(logDir, "codex-login.log"), flags);
    const stat = await file.stat();
    if (!stat.isFile()) return ["it is no regular file"];
    const start = Math.max(0, stat.size - LOG_BYTES);
    const bytes = new Uint8Array(stat.size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const lines = new TextDecoder().decode(bytes.subarray(0, bytesRead)).split("\n");
    // The first may be a part of one.
    const whole = start > 0 ? lines.slice(1) : lines;
    return whole.filter((line) => line !== "").slice(-LOG_LINES).map((line) => clean(line));
  } catch (thrown) {
    return [systemCode(thrown) === "ENOENT" ? "there is none" : describeSystemError(thrown)];
  } finally {
    await file?.close();
  }
}
