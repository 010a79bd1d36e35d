import { ERROR_KINDS, type ErrorCode, type ErrorKind } from "./error_kinds.ts";

export interface LoginErrorDetails {
  /** Why: the real cause, one line. Foreign parts are shown cleaned and cut, never raw. */
  readonly reason?: string;
  /** What next, when the place that throws knows better than the table. */
  readonly hint?: string;
  /** False only when it is certain that no byte of the request reached the issuer. */
  readonly requestSent?: boolean;
  /** The HTTP status with which the issuer refused. */
  readonly status?: number;
}

/** The one error of this program: what (message), why (reason), what next (hint), and a stable code. */
export class LoginError extends Error {
  override readonly name = "LoginError";
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly hint: string;
  readonly requestSent: boolean;
  readonly status: number | undefined;
  /** What the failure did to what is stored, or did not, added by who knows. */
  note: string | undefined;

  constructor(code: ErrorCode, message: string, details: LoginErrorDetails = {}) {
    super(message);
    this.code = code;
    this.reason = details.reason;
    this.hint = details.hint ?? ERROR_KINDS[code].hint;
    this.requestSent = details.requestSent ?? true;
    this.status = details.status;
  }

  get exitCode(): number {
    return ERROR_KINDS[this.code].exit;
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}

/** Anything thrown, as a LoginError. What is not ours is a bug, and its text may hold a secret: only its class is told. */
export function toLoginError(thrown: unknown): LoginError {
  if (thrown instanceof LoginError) return thrown;
  return new LoginError("INTERNAL", "codex-login failed unexpectedly", {
    reason: classOf(thrown),
  });
}

/**
 * The class of anything thrown: all that may be told of what is not ours, since its text, and its name too, may hold a secret.
 */
export function classOf(thrown: unknown): string {
  try {
    const name = thrown instanceof Error ? thrown.constructor?.name : typeof thrown;
    return /^[A-Za-z]{1,40}$/.test(name ?? "") ? name : "an error";
  } catch {
    return "an error";
  }
}

/** The code of a failed system call (`ENOENT`, `EACCES`, …), or undefined. Messages differ between runtimes, codes do not. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
