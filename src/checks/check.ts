import type { Config } from "../config.ts";
import type { LoginError } from "../errors.ts";
import type { Hazard } from "../runtime/runtime.ts";
import type { World } from "../world.ts";

export type CheckStatus = "ok" | "warn" | "fail" | "skip";

/** What a check has found. Its texts may hold foreign parts, which are cleaned before anybody sees them. */
export interface Finding {
  readonly status: CheckStatus;
  readonly measured: string;
  /** Null where nothing is wrong. */
  readonly expected: string | null;
  /** What to do, at best a command; null where there is nothing to do. */
  readonly remedy: string | null;
}

export interface Check {
  /** Stable: other programs look for it. */
  readonly id: string;
  /** Milliseconds after which it counts as failed. */
  readonly limitMs: number;
  /** The check, earlier in the list, without whose success this one has nothing to look at. */
  readonly needs?: string;
  /** @param signal aborts when nobody waits for the finding any more. */
  run(signal: AbortSignal): Finding | Promise<Finding>;
}

/** What is looked at. */
export interface Examined {
  readonly world: World;
  /** With defaults where the settings cannot be used. Its home is empty where nobody knows it. */
  readonly config: Config;
  /** Why the settings, or the home, cannot be used. */
  readonly obstacle: LoginError | undefined;
  /** With it no stored login is read: foreign code may be listening. */
  readonly hazard: Hazard | undefined;
}

/** Milliseconds for what only looks at files. */
export const FILES_MS = 3_000;

export function ok(measured: string): Finding {
  return { status: "ok", measured, expected: null, remedy: null };
}

export function skip(measured: string): Finding {
  return { status: "skip", measured, expected: null, remedy: null };
}

export function warn(measured: string, expected: string, remedy: string): Finding {
  return { status: "warn", measured, expected, remedy };
}

export function fail(measured: string, expected: string, remedy: string): Finding {
  return { status: "fail", measured, expected, remedy };
}

/** A failure of the program itself, as it would be told by the command that meets it. */
export function failWith({ message, reason, hint }: LoginError, expected: string): Finding {
  return fail(reason === undefined ? message : `${message}: ${reason}`, expected, hint);
}

const SEVERITY: readonly CheckStatus[] = ["skip", "ok", "warn", "fail"];

/** Several findings as one: the worst decides, and of what is well only the first is told when something is not. */
export function combine(findings: readonly Finding[]): Finding {
  const worst = SEVERITY.findLast((status) => findings.some((one) => one.status === status));
  const told = findings.filter(({ status }) => status === worst);
  const join = (texts: (string | null)[]): string | null => {
    const known = [...new Set(texts.filter((text) => text !== null))];
    return known.length > 0 ? known.join("; ") : null;
  };
  return {
    status: worst ?? "skip",
    measured: join(told.map(({ measured }) => measured)) ?? "",
    expected: join(told.map(({ expected }) => expected)),
    remedy: join(told.map(({ remedy }) => remedy)),
  };
}

/** A path as one word of a command that people copy. */
export function shellWord(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
