import { type Context, Hono } from "hono";
import { createCallbackLog } from "./callback_log.ts";
import { deferred } from "./deferred.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { HARDENED_HEADERS } from "./hardened_headers.ts";
import {
  type CompletedLogin,
  createLoginOutcome,
  type Decision,
  type LoginOutcome,
} from "./login_outcome.ts";
import type { LoginAttempt } from "./oauth/attempt.ts";
import { validateAuthorizationResponse } from "./oauth/authorization.ts";
import { base64Url } from "./oauth/pkce.ts";
import {
  type Landing,
  type Page,
  renderErrorPage,
  renderForeignPage,
  renderSuccessPage,
} from "./pages.ts";
import { refuseRequest } from "./request_guard.ts";
import type { Audience } from "./peer.ts";
import type { Peer } from "./runtime/runtime.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::server";

export interface CallbackServerOptions {
  readonly attempt: LoginAttempt;
  readonly port: number;
  /** Exchanges the code and saves the login. Called once at most; rejects with a LoginError. */
  complete(code: string): Promise<Omit<CompletedLogin, "onboardingEntrypoint">>;
  /** Whether this peer may ask the login to give way; absent where nobody may. */
  readonly mayCancel?: (peer: Peer) => Promise<boolean>;
  /** Who may see who signed in, and be led on with a token; absent where it is not known who asks: then nobody. */
  readonly audience?: Audience;
  readonly landing: Landing;
}

/**
 * The web side of one login attempt, with two audiences kept apart: the page tells the person what happened, the log
 * tells which checks passed, and neither ever sees a code, a state or a token.
 */
export interface CallbackServer extends LoginOutcome {
  /** A plain value: `app.request()` tests it, any host can mount it beside its own routes. */
  readonly app: CallbackApp;
  /** Resolves when the page that ends the login was handed to the browser. */
  readonly pageServed: Promise<void>;
  /** Resolves when the person went on to the organization's set-up. */
  readonly setupFollowed: Promise<void>;
}

/** Needs to be told the peer, where there is an audience or somebody who may cancel. */
export type CallbackApp = Hono<{ Bindings: { peer: Peer } }>;

type PeerContext = Context<{ Bindings: { peer: Peer } }>;

/** What the path of every redirect address ends in. */
export const CALLBACK_PATH = "/auth/callback";
const SUCCESS_PATH = "/success";

type Answer = { readonly redirect: string } | Page;

export function createCallbackServer(
  world: Pick<World, "log" | "randomBytes">,
  options: CallbackServerOptions,
): CallbackServer {
  const { log } = world;
  const { audience, mayCancel, landing } = options;
  const logCallback = createCallbackLog(log);
  /** Where a host has mounted us. */
  const base = new URL(options.attempt.redirectUri).pathname.slice(0, -CALLBACK_PATH.length);
  const successPath = base + SUCCESS_PATH;
  const setupPath = `/setup/${base64Url(world.randomBytes(16))}`;
  const outcome = createLoginOutcome(options.complete);
  const pageServed = deferred<void>();
  const setupFollowed = deferred<void>();
  /** What every callback is told, whatever it brings: the first right one decided. */
  let answer: Promise<Answer> | undefined;
  let successPage: Page | undefined;
  /** Made once: a flood asks for it thousands of times. */
  let foreignPage: Promise<Page> | undefined;
  let setupUrl: string | undefined;
  let isJudging = false;

  /** Whoever brought a right callback may see what came of it. */
  async function present(deciding: Promise<Decision>, peer: Peer): Promise<Answer> {
    const [decision] = await Promise.all([deciding, audience?.admit(peer)]);
    if (decision.kind === "ended") {
      return await renderErrorPage(decision.error, landing, log.attempt);
    }
    const { login } = decision;
    if (landing.hostedUrl !== undefined && !login.setupUrl) return { redirect: landing.hostedUrl };
    setupUrl = audience && login.setupUrl;
    successPage = await renderSuccessPage(
      audience && login.account,
      landing,
      setupUrl ? base + setupPath : undefined,
    );
    return { redirect: successPath };
  }

  async function callback(c: PeerContext): Promise<Response> {
    const parameters = new URL(c.req.url).searchParams;
    const response = await validateAuthorizationResponse(parameters, options.attempt);
    logCallback(parameters, response);
    if (response.kind === "foreign") {
      return respond(await (foreignPage ??= renderForeignPage(landing)));
    }
    answer ??= present(outcome.settle(response), c.env.peer);
    const told = await answer;
    if (!("redirect" in told) || told.redirect !== successPath) pageServed.resolve();
    return respond(told);
  }

  async function success(c: PeerContext): Promise<Response> {
    if (!successPage || !await isAdmitted(c)) return refuse(404);
    pageServed.resolve();
    return respond(successPage);
  }

  async function isAdmitted(c: PeerContext): Promise<boolean> {
    return !audience || await audience.includes(c.env.peer);
  }

  async function setup(c: PeerContext): Promise<Response> {
    const isAllowed = setupUrl && await isAdmitted(c);
    // Taken only now: another request may have had it while we looked.
    const url = isAllowed ? setupUrl : undefined;
    if (!url) return refuse(404);
    setupUrl = undefined;
    setupFollowed.resolve();
    return respond({ redirect: url });
  }

  /** The reference asks a running login to give way with exactly these two headers; no web page can leave the others out. */
  async function cancel(c: PeerContext): Promise<Response> {
    const names = [...c.req.raw.headers.keys()].sort().join();
    // To find out who asks costs more than to ask: one at a time, so that nobody can keep us busy with it.
    if (names !== "connection,host" || isJudging) return refuse(403);
    isJudging = true;
    const isAllowed = await mayCancel?.(c.env.peer).finally(() => isJudging = false);
    if (!isAllowed) return refuse(403);
    if (!outcome.end(new LoginError("SUPERSEDED", "A newer sign-in took over"))) return refuse(409);
    log.write("info", TARGET, "login gave way to a newer one");
    return new Response("Login cancelled", { headers: HARDENED_HEADERS });
  }

  const paths: ReadonlySet<string> = new Set(
    [CALLBACK_PATH, SUCCESS_PATH, setupPath, ...(mayCancel ? ["/cancel"] : [])].map((path) =>
      base + path
    ),
  );
  function turnAway(c: PeerContext): Response | undefined {
    const refusal = refuseRequest(c.req.raw, options.port, (path) => paths.has(path));
    return refusal && refuse(refusal.status, refusal.headers);
  }
  const guard = (answer: (c: PeerContext) => Promise<Response>) => async (c: PeerContext) =>
    turnAway(c) ?? await answer(c);
  const guardedSuccess = guard(success);

  // Each path by itself, and nothing over all: the other paths are a host's own.
  const app: CallbackApp = new Hono<{ Bindings: { peer: Peer } }>({ getPath: pathOf })
    .all(CALLBACK_PATH, guard(callback))
    // Until there is something to show, this one is too.
    .all(SUCCESS_PATH, (c, next) => successPage ? guardedSuccess(c) : next())
    .all(setupPath, guard(setup))
    .notFound((c) => turnAway(c) ?? refuse(404))
    .onError((thrown) => {
      log.write("error", TARGET, "request failed", { code: toLoginError(thrown).code });
      return refuse(500);
    });
  if (mayCancel) app.all("/cancel", guard(cancel));

  return {
    app,
    ...outcome,
    pageServed: pageServed.promise,
    setupFollowed: setupFollowed.promise,
  };
}

/** Bun hands over addresses that nobody can parse; the router's own reading of one falls before any handler has its turn. */
function pathOf({ url }: Request): string {
  return URL.canParse(url) ? new URL(url).pathname : "/";
}

function respond(answer: Answer): Response {
  if ("redirect" in answer) {
    return new Response(null, {
      status: 303,
      headers: { ...HARDENED_HEADERS, location: answer.redirect },
    });
  }
  return new Response(answer.html, {
    status: answer.status,
    headers: {
      ...HARDENED_HEADERS,
      "content-security-policy": answer.contentSecurityPolicy,
      "content-type": "text/html; charset=utf-8",
    },
  });
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  404: "Not Found",
  405: "Method Not Allowed",
  409: "The sign-in is being completed",
  421: "Misdirected Request",
};

function refuse(status: number, headers: Record<string, string> = {}): Response {
  return new Response(STATUS_TEXT[status] ?? "Refused", {
    status,
    headers: { ...HARDENED_HEADERS, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}
