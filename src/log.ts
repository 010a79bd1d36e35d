import { configure, getLogger, type LogRecord } from "@logtape/logtape";
import { openLogFile } from "./log_file.ts";
import { printable } from "./printable.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Log, LogFields } from "./world.ts";

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
  endpoint: true,
  request_id: true,
  cause: true,
  duration_ms: true,
  version: true,
  runtime: true,
  platform: true,
  attempt: true,
};

const LEVELS: Readonly<Record<string, string>> = { warning: "WARN", fatal: "ERROR" };

export interface LogOptions {
  readonly folder: string;
  /** Also told every line, for --verbose. */
  readonly echo?: ((line: string) => void) | undefined;
  /** Keeps two processes from rotating it at once. */
  readonly tryLock?: Runtime["tryLock"] | undefined;
}

/**
 * Opens the log. Each line is written at once, so none is lost however the process ends.
 *
 * @throws {LoginError} SAVE_FAILED when it cannot be opened; a login goes on without a log.
 */
export async function openLog({ folder, echo, tryLock }: LogOptions): Promise<Log> {
  const file = await openLogFile(folder, tryLock);
  const secrets = new Set<string>();
  await configure({
    reset: true,
    sinks: {
      file(record: LogRecord): void {
        const line = formatRecord(record, secrets);
        echo?.(line);
        file.append(`${line}\n`);
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
