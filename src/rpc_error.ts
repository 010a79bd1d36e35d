import type { ErrorCode } from "./error_kinds.ts";
import { type LoginError, toLoginError } from "./errors.ts";
import { describeNextStep } from "./next_step.ts";
import { printable } from "./printable.ts";

/** @see https://www.jsonrpc.org/specification#error_object */
export const RPC_CODES = {
  PARSE_ERROR: -32700,
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  INVALID_PARAMS: -32602,
  INTERNAL_ERROR: -32603,
} as const;

/** Why a request is answered with an error. */
export class RpcError extends Error {
  override readonly name = "RpcError";

  /** @param data for programs; no secret. */
  constructor(readonly code: number, message: string, readonly data?: Record<string, unknown>) {
    super(message);
  }
}

export function invalidRequest(message: string): RpcError {
  return new RpcError(RPC_CODES.INVALID_REQUEST, message);
}

/** What the request asked for can not be had here, however often it is asked. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "API_KEY_INVALID",
  "DEVICE_CODE_UNAVAILABLE",
  "LOGIN_METHOD_FORBIDDEN",
  "WORKSPACE_MISMATCH",
]);

/** A failure of ours for the other side: the stable code, the cause and the next step are in its data. */
export function toRpcError(error: LoginError, prefix = ""): RpcError {
  const { code, hint, message, reason } = error;
  const rpcCode = REFUSALS.has(code) ? RPC_CODES.INVALID_REQUEST : RPC_CODES.INTERNAL_ERROR;
  return new RpcError(rpcCode, `${prefix}${describeFailure(error)}`, {
    code,
    message: printable(message),
    cause: reason === undefined ? null : printable(reason),
    hint: describeNextStep(hint),
  });
}

/** On one line. */
export function describeFailure({ message, reason }: LoginError): string {
  return printable(reason === undefined ? message : `${message}: ${reason}`);
}

/** Does what a method does; a failure is told with what it was a part of before it. */
export async function failing<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof RpcError ? thrown : toRpcError(toLoginError(thrown), prefix);
  }
}
