import type {
  CallToolResult,
  InputRequiredResult,
  ServerContext,
} from "@modelcontextprotocol/server";
import { formatDuration } from "./duration.ts";
import { LoginError } from "./errors.ts";
import type { McpClient } from "./mcp_client.ts";
import type { McpLogin, McpLogins, Shown } from "./mcp_logins.ts";
import { describeTask, endedResult, failedResult, waitingResult } from "./mcp_results.ts";
import type { World } from "./world.ts";

type Sdk = Pick<typeof import("./mcp_sdk.ts"), "inputRequired" | "inputResponse">;

/** Milliseconds between two words that it still waits: clients give up what is silent for a minute. */
const PROGRESS_MS = 15_000;
/** Milliseconds that a sign-in may take to end, after its limit. */
const QUESTION_MARGIN_MS = 30_000;
/** By which the client's answer to our question is known. */
const QUESTION = "sign_in";

export interface SignIn {
  readonly method: Shown["method"];
  readonly timeoutMs: number;
}

/** How the client that sent the call can be reached. */
export interface SignInCall {
  readonly client: McpClient;
  readonly ctx: ServerContext;
  /** Tells a client of 2025 that what it was asked about is over. */
  completeElicitation(id: string): Promise<void>;
}

/**
 * Signs in for one call of a tool. Where the client can show an address to the person, it is asked to, and the call lasts until
 * the sign-in is over; where it cannot, the answer holds the address, and the sign-in goes on by itself.
 *
 * @throws {LoginError} when it cannot begin.
 */
export async function signIn(
  sdk: Sdk,
  world: World,
  logins: McpLogins,
  { method, timeoutMs }: SignIn,
  call: SignInCall,
): Promise<CallToolResult | InputRequiredResult> {
  const { client, ctx } = call;
  const asked = ctx.mcpReq.requestState<string>();
  if (asked !== undefined) return await goOn(sdk, world, logins, asked, ctx);
  const login = await logins.begin({ method, timeoutMs, host: client.host });
  // Nobody waits for the answer any more, so nobody would see the address.
  if (ctx.mcpReq.signal.aborted) await logins.cancel(login.id, () => {});
  if (!client.elicitsUrls) return waitingResult(login);
  if (client.era === "modern") return askInResult(sdk, login);
  return await askInRequest(world, logins, login, call);
}

/** The way since 2026: the answer is a question, and the client sends the call again with what the person said. */
function askInResult({ inputRequired }: Sdk, login: McpLogin): InputRequiredResult {
  return inputRequired({
    inputRequests: { [QUESTION]: inputRequired.elicitUrl(question(login)) },
    // Nobody can guess the id, and it opens nothing but its own sign-in.
    requestState: login.id,
  });
}

async function goOn(
  sdk: Sdk,
  world: World,
  logins: McpLogins,
  id: string,
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const login = logins.find(id);
  if (!login) {
    const hint = "call the tool again, without requestState";
    return failedResult(new LoginError("USAGE", "There is no such sign-in", { hint }));
  }
  const answer = sdk.inputResponse(ctx.mcpReq.inputResponses, QUESTION);
  if (answer.kind !== "elicit" && !login.result) return askInResult(sdk, login);
  if (answer.kind === "elicit" && answer.action !== "accept") await logins.cancel(id, () => {});
  const stop = accompany(world, logins, login, ctx);
  const result = await login.ended;
  stop();
  return endedResult(login, result);
}

/** The way of 2025: the client is asked while it waits for its answer. */
async function askInRequest(
  world: World,
  logins: McpLogins,
  login: McpLogin,
  { ctx, completeElicitation }: SignInCall,
): Promise<CallToolResult> {
  const over = new AbortController();
  const params = { mode: "url", elicitationId: login.id, ...question(login) } as const;
  // The sign-in itself ends the question; it may take a moment longer than its limit to do so.
  const timeout = login.limitMs + QUESTION_MARGIN_MS;
  const asking = ctx.mcpReq.elicitInput(params, { timeout, signal: over.signal });
  const answered = asking.then(({ action }) => action, () => "unable" as const);
  const stop = accompany(world, logins, login, ctx);
  const first = await Promise.race([login.ended, answered]);
  // It said that it can, and cannot: the person has to be told by the answer.
  if (first === "unable" && !ctx.mcpReq.signal.aborted) {
    stop();
    return waitingResult(login);
  }
  if (first === "decline" || first === "cancel") await logins.cancel(login.id, () => {});
  const result = await login.ended;
  over.abort();
  await completeElicitation(login.id).catch(() => {});
  stop();
  return endedResult(login, result);
}

/**
 * While a call lasts as long as its sign-in: who gives the call up gives up the sign-in, and who wants to know is told how
 * long it waits.
 *
 * @returns ends that, before the call is answered.
 */
function accompany(
  world: World,
  logins: McpLogins,
  login: McpLogin,
  { mcpReq }: ServerContext,
): () => void {
  const over = new AbortController();
  const cancel = (): void => void logins.cancel(login.id, () => {});
  mcpReq.signal.addEventListener("abort", cancel, { once: true });
  if (mcpReq.signal.aborted) cancel();
  const tell = progressOf(login, mcpReq);
  void tellTime(world, login, tell, over.signal);
  return () => {
    over.abort();
    mcpReq.signal.removeEventListener("abort", cancel);
    if (login.result?.login) tell(login.limitMs, "Signed in: the login is saved.");
  };
}

function question(login: McpLogin): { message: string; url: string } {
  const { shown } = login;
  if (shown.method === "browser") {
    return { message: "Sign in to ChatGPT in the browser.", url: shown.authUrl };
  }
  const [, , ...what] = describeTask(login);
  return {
    message: ["Sign in to ChatGPT in the browser.", ...what].join(" "),
    url: shown.verificationUrl,
  };
}

type Tell = (progressMs: number, message: string) => void;

/** Tells the client, if it wants to know. */
function progressOf({ limitMs }: McpLogin, { _meta, notify }: ServerContext["mcpReq"]): Tell {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => {};
  return (progressMs, message) => {
    const [progress, total] = [progressMs / 1_000, limitMs / 1_000];
    const params = { progressToken, progress, total, message };
    notify({ method: "notifications/progress", params }).catch(() => {});
  };
}

async function tellTime(
  world: World,
  { begunAt, limitMs }: McpLogin,
  tell: Tell,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const passed = Math.min(world.elapsed() - begunAt, limitMs);
    tell(passed, `Waiting for the person to sign in; ${formatDuration(limitMs - passed)} left.`);
    await world.sleep(PROGRESS_MS, over);
  }
}
