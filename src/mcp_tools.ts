import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ProtocolEra,
  ServerContext,
} from "@modelcontextprotocol/server";
import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";
import { logout } from "./logout.ts";
import { describeLogout, logoutJson } from "./logout_words.ts";
import { readClient } from "./mcp_client.ts";
import { canceledByLogout } from "./login_slot.ts";
import type { McpLogins } from "./mcp_logins.ts";
import { failedResult, toolResult } from "./mcp_results.ts";
import {
  CancelInput,
  CancelOutput,
  LoginInput,
  LogoutInput,
  LogoutOutput,
  NothingInput,
  SignInOutput,
  StatusOutput,
} from "./mcp_schemas.ts";
import { type SignIn, signIn } from "./mcp_sign_in.ts";
import { tellStatus } from "./mcp_status.ts";
import { printable } from "./printable.ts";
import type { World } from "./world.ts";

/** Milliseconds; the reference's. */
const BROWSER_MS = 600_000;
const DEVICE_MS = 900_000;

export interface ToolDependencies {
  readonly sdk: typeof import("./mcp_sdk.ts");
  /** A logout goes on to its end when the client is gone; sign-ins do not. */
  readonly world: World;
  readonly config: Config;
  readonly logins: McpLogins;
  /** Told what a person should know, cleaned. */
  readonly say: (note: string) => void;
}

const REPLACES = "A finished sign-in replaces the login that is stored; until then, and when it " +
  "fails, that one stays as it is. One sign-in at a time: a new one ends the one before.";
const ANSWERS =
  "If the client can show addresses to the person, the call lasts until the sign-in is over, " +
  "and its answer says who signed in. Otherwise the answer comes at once, with status " +
  '"waiting" and what to show to the person; login_status then tells how it ended.';

/** Gives the server its five tools. */
export function registerTools(
  server: McpServer,
  era: ProtocolEra,
  { sdk, world, config, logins, say }: ToolDependencies,
): void {
  const runSignIn = (
    request: SignIn,
    ctx: ServerContext,
  ): Promise<CallToolResult | InputRequiredResult> =>
    asResult(() =>
      signIn(sdk, world, logins, request, {
        ctx,
        client: readClient(server, era, ctx),
        completeElicitation: async (id) =>
          await server.server.createElicitationCompletionNotifier(id)(),
      })
    );

  server.registerTool("login", {
    title: "Sign in to ChatGPT with the browser",
    description:
      "Lets the person at this machine sign in to ChatGPT/Codex with a browser on this " +
      `machine. ${ANSWERS} ${REPLACES}`,
    inputSchema: LoginInput,
    outputSchema: SignInOutput,
    annotations: {
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  }, ({ timeoutSeconds }, ctx) => {
    const timeoutMs = timeoutSeconds === undefined ? BROWSER_MS : timeoutSeconds * 1_000;
    return runSignIn({ method: "browser", timeoutMs }, ctx);
  });

  server.registerTool("login_device", {
    title: "Sign in to ChatGPT with a code on any device",
    description:
      "Lets the person sign in to ChatGPT/Codex with a code that they enter in a browser on any " +
      "device: for machines without a browser, such as servers and containers. " +
      `${ANSWERS} ${REPLACES}`,
    inputSchema: NothingInput,
    outputSchema: SignInOutput,
    annotations: {
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  }, (_, ctx) => runSignIn({ method: "device_code", timeoutMs: DEVICE_MS }, ctx));

  server.registerTool("login_status", {
    title: "Who is signed in",
    description: "Tells who is signed in to ChatGPT/Codex on this machine, whether a sign-in " +
      "waits for the person, and what came of the last one. It asks nobody, changes nothing and " +
      "answers at once. No token is ever shown.",
    inputSchema: NothingInput,
    outputSchema: StatusOutput,
    annotations: { readOnlyHint: true, openWorldHint: false },
  }, () => orFailed(() => tellStatus(world, config, logins)));

  server.registerTool("cancel_login", {
    title: "Cancel the sign-in that waits",
    description: "Ends the sign-in that waits for the person. The login that is stored stays as " +
      "it is. Nothing happens when none waits, or when it is being stored already.",
    inputSchema: CancelInput,
    outputSchema: CancelOutput,
    annotations: {
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }, ({ loginId }) => orFailed(() => cancelLogin(logins, loginId)));

  server.registerTool("logout", {
    title: "Sign out of ChatGPT",
    description: "Ends the login at its issuer and then deletes it on this machine, whatever the " +
      "issuer said; a sign-in that waits is ended too. Programs that share the login, such as " +
      "Codex, are signed out with it.",
    inputSchema: LogoutInput,
    outputSchema: LogoutOutput,
    annotations: {
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: true,
      openWorldHint: true,
    },
  }, ({ localOnly }) =>
    orFailed(async () => {
      const notes: string[] = [];
      const tell = (message: string): void => {
        notes.push(printable(message));
        say(printable(message));
      };
      const outcome = await logins.exclusively(
        () => logout(world, config, { localOnly, tell }),
        canceledByLogout(),
      );
      const words = [...describeLogout(outcome), ...notes];
      return toolResult(words, { ...logoutJson(outcome), notes });
    }));
}

async function asResult<T>(work: () => Promise<T>): Promise<T | CallToolResult> {
  try {
    return await work();
  } catch (thrown) {
    return failedResult(thrown);
  }
}

/** The schemas of these tools have no members for a failure, and some clients judge failures by them too. */
async function orFailed<T>(work: () => Promise<T>): Promise<T | CallToolResult> {
  try {
    return await work();
  } catch (thrown) {
    const { content, isError } = failedResult(thrown);
    return { content, isError: isError ?? true };
  }
}

async function cancelLogin(
  logins: McpLogins,
  loginId: string | undefined,
): Promise<CallToolResult> {
  const id = loginId ?? logins.pending()?.id;
  let cancelled = false;
  // One that is being begun has no id yet.
  if (id === undefined) {
    cancelled = logins.interrupt(new LoginError("CANCELED", "The sign-in was cancelled"));
  }
  if (id !== undefined) await logins.cancel(id, (isCanceled) => void (cancelled = isCanceled));
  const words = cancelled ? "The sign-in was cancelled." : "No such sign-in waits.";
  return toolResult([words], { cancelled, loginId: cancelled ? id ?? null : null });
}
