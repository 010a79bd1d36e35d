import * as v from "valibot";
import { toLoginError } from "./errors.ts";
import { errorJson } from "./error_json.ts";
import type { McpLogins } from "./mcp_logins.ts";
import type { McpTransport, RpcRequest } from "./mcp_transport.ts";
import { printable } from "./printable.ts";
import { describeFailure, RPC_CODES } from "./rpc_error.ts";

/** Milliseconds; the reference's. */
const TIMEOUT_MS = 600_000;

const CancelParams = v.object({ loginId: v.string() });

type Outlet = Pick<McpTransport, "answer" | "notify">;

/**
 * The methods that editors used before there were tools. They are no part of MCP, so they are answered beside the SDK: in both
 * of its eras, and each answer is written before anything is told of its login.
 *
 * @returns whether the request was one of them.
 */
export function takeEarlierMethod(logins: McpLogins, outlet: Outlet, request: RpcRequest): boolean {
  switch (request.method) {
    case "loginChatGpt":
      void logIn(logins, outlet, request);
      return true;
    case "cancelLoginChatGpt":
      cancel(logins, outlet, request);
      return true;
    default:
      return false;
  }
}

async function logIn(logins: McpLogins, outlet: Outlet, { id }: RpcRequest): Promise<void> {
  try {
    await logins.begin(
      { method: "browser", timeoutMs: TIMEOUT_MS, host: undefined },
      ({ id: loginId, shown }) => {
        const authUrl = shown.method === "browser" ? shown.authUrl : "";
        outlet.answer(id, { result: { loginId, authUrl } });
      },
      ({ id: loginId }, { error }) =>
        outlet.notify("codex/event/login_chatgpt_complete", {
          loginId,
          success: error === undefined,
          ...(error ? { error: describeFailure(error) } : {}),
        }),
    );
  } catch (thrown) {
    const error = toLoginError(thrown);
    const code = error.code === "LOGIN_METHOD_FORBIDDEN"
      ? RPC_CODES.INVALID_REQUEST
      : RPC_CODES.INTERNAL_ERROR;
    outlet.answer(id, { error: { code, message: describeFailure(error), data: errorJson(error) } });
  }
}

function cancel(logins: McpLogins, outlet: Outlet, { id, params }: RpcRequest): void {
  const parsed = v.safeParse(CancelParams, params);
  if (!parsed.success) {
    const message = "cancelLoginChatGpt needs a loginId, which is a string";
    return outlet.answer(id, { error: { code: RPC_CODES.INVALID_PARAMS, message } });
  }
  const { loginId } = parsed.output;
  void logins.cancel(loginId, (isCanceled) => {
    const message = `login id not found: ${printable(loginId, 80)}`;
    outlet.answer(
      id,
      isCanceled ? { result: {} } : { error: { code: RPC_CODES.INVALID_REQUEST, message } },
    );
  });
}
