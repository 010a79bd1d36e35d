import { configure, getLogger, type LogRecord } from "@logtape/logtape";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import { describeSystemError } from "./system_error.ts";
import type { Log, LogFields } from "./world.ts";

const MAX_BYTES = 1 << 20;
const FILE_NAME = "codex-login.log";

/** Fields by name; a field of any other name is dropped even if somebody passes it. */
const ALLOWED: Readonly<Record<keyof LogFields, true>> = {
  path: true,
  has_code: true,
  has_state: true,
  has_error: true,
  state_valid: true,
  has_error_description: true,
  error_code: true,
  issuer: true,
  token_endpoint: true,
  redirect_uri: true,
  status: true,
  port: true,
  code: true,
  holder: true,
  is_timeout: true,
  is_connect: true,
  onboarding_entrypoint: true,
};

const LEVELS: Readonly<Record<string, string>> = { warning: "WARN", fatal: "ERROR" };

export interface LogOptions {
  readonly folder: string;
  /** Also told every line, for --verbose. */
  readonly echo?: ((line: string) => void) | undefined;
}

/**
 * Opens `codex-login.log` for appending: 0600, never through a link, rotated at 1 MiB with one old file kept. Each
 * line is written at once, so none is lost however the process ends.
 *
 * @throws {LoginError} SAVE_FAILED when it cannot be opened; a login goes on without a log.
 */
export async function openLog({ folder, echo }: LogOptions): Promise<Log> {
  const descriptor = openFile(folder);
  const secrets = new Set<string>();
  await configure({
    reset: true,
    sinks: {
      file(record: LogRecord): void {
        const line = formatRecord(record, secrets);
        echo?.(line);
        try {
          writeSync(descriptor, `${line}\n`);
        } catch {
          // A full disk must not end a login.
        }
      },
    },
    loggers: [
      { category: ["logtape"], sinks: [], lowestLevel: "fatal" },
      { category: [], sinks: ["file"], lowestLevel: "info" },
    ],
  });
  return {
    write(level, target, message, fields = {}): void {
      getLogger(target.split("::"))[level](message, { ...fields });
    },
    hide: (secret) => void secrets.add(secret),
  };
}

function openFile(folder: string): number {
  const path = join(folder, FILE_NAME);
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT |
    (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    let descriptor = openSync(path, flags, 0o600);
    if (fstatSync(descriptor).size > MAX_BYTES) {
      renameSync(path, `${path}.1`);
      closeSync(descriptor);
      descriptor = openSync(path, flags, 0o600);
    }
    const { mode } = fstatSync(descriptor);
    if ((mode & 0o077) !== 0) fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (thrown) {
    throw new LoginError("SAVE_FAILED", `The log ${path} cannot be written`, {
      reason: describeSystemError(thrown),
    });
  }
}

/** One event a line, in the form of the reference: time, level, target, message, key=value. */
export function formatRecord(record: LogRecord, secrets: ReadonlySet<string>): string {
  const time = new Date(record.timestamp).toISOString().replace("Z", "000Z");
  const level = (LEVELS[record.level] ?? record.level.toUpperCase()).padStart(5);
  const fields = Object.entries(record.properties)
    .filter(([name, value]) => Object.hasOwn(ALLOWED, name) && value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(name, value, secrets)}`);
  const target = record.category.join("::");
  return `${time} ${level} ${target}: ${record.rawMessage}${fields.join("")}`;
}

/** Cleaned, without secrets, cut, and quoted where it is not one plain word, so that no value can start a line of its own. */
function formatValue(name: string, value: unknown, secrets: ReadonlySet<string>): string {
  if (typeof value !== "string") return String(value);
  const shown = printable(value, 300, secrets);
  return name !== "error_code" && /^[\w:/.?=&%@+~-]*$/.test(shown) ? shown : JSON.stringify(shown);
}
