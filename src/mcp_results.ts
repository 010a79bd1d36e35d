import type { CallToolResult } from "@modelcontextprotocol/server";
import { accountJson, describeAccount, describePlace } from "./account_words.ts";
import { type LoginError, toLoginError } from "./errors.ts";
import { errorJson } from "./error_json.ts";
import type { LoginResult } from "./login_slot.ts";
import type { McpLogin } from "./mcp_logins.ts";
import { printable } from "./printable.ts";
import { formatRfc3339 } from "./rfc3339.ts";
import { formatError } from "./terminal.ts";

/** An answer in words and, for programs, in members. */
export function toolResult(
  lines: readonly string[],
  structuredContent: Record<string, unknown>,
): CallToolResult {
  return { content: [{ type: "text", text: lines.join("\n") }], structuredContent };
}

/** What is under way: without the secrets, but for the state in the address, which is of use in this login only. */
export function pendingJson({ id, shown, expiresAt }: McpLogin): Record<string, unknown> {
  return { loginId: id, ...shown, expiresAt: formatRfc3339(expiresAt) };
}

/** The person has to be told where to go, because the client cannot. */
export function waitingResult(login: McpLogin): CallToolResult {
  return toolResult(
    [
      ...describeTask(login),
      `The sign-in waits until ${
        formatRfc3339(login.expiresAt)
      }. Do not wait for it here: show this to the person, and ` +
      "call login_status afterwards, which tells what came of it.",
    ],
    { status: "waiting", ...pendingJson(login), notes: login.notes },
  );
}

/** What the person has to do, one sentence a line. */
export function describeTask({ shown }: McpLogin): string[] {
  if (shown.method === "browser") {
    return ["To sign in, open this address in a browser on this machine:", shown.authUrl];
  }
  return [
    "To sign in, open this address in a browser on any device:",
    shown.verificationUrl,
    `Enter this code there: ${shown.userCode}`,
    "Never enter a code that somebody else sent you: go on only if you asked for this sign-in yourself.",
  ];
}

export function endedResult(login: McpLogin, { login: saved, error }: LoginResult): CallToolResult {
  if (error) return failedResult(error, login);
  return toolResult(
    [
      `Signed in as ${describeAccount(saved.account)}.`,
      `Saved in ${describePlace(saved)}.`,
      ...login.notes,
    ],
    { ...lastJson(login), notes: login.notes },
  );
}

/** What came of a sign-in that is over. */
export function lastJson({ id, shown, result }: McpLogin): Record<string, unknown> {
  const { method } = shown;
  if (result?.error) {
    return { status: "failed", loginId: id, method, error: errorJson(result.error) };
  }
  if (!result) return { status: "waiting", loginId: id, method };
  const { account, store, path } = result.login;
  return {
    status: "signed_in",
    loginId: id,
    method,
    account: accountJson(account),
    store,
    path,
  };
}

/** @param login the sign-in that it ended, if one had begun. */
export function failedResult(thrown: unknown, login?: McpLogin): CallToolResult {
  const error = toLoginError(thrown);
  const words = [
    formatError(error, { color: false, links: false }),
    ...(login ? ["The sign-in stored nothing.", ...login.notes] : []),
    ...adviceFor(error),
  ];
  return {
    ...toolResult(words, {
      status: "failed",
      ...(login ? { loginId: login.id, method: login.shown.method } : {}),
      error: errorJson(error),
    }),
    isError: true,
  };
}

/** Where the next step is a command, there is a tool for it. */
function adviceFor({ hint }: LoginError): string[] {
  return /^codex-login(?! doctor)\b/.test(printable(hint))
    ? ["Instead of the command: call the tool login, or login_device."]
    : [];
}
