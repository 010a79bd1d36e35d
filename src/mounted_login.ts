import type { SavedLogin } from "./accept_tokens.ts";
import { CALLBACK_PATH, type CallbackApp, createCallbackServer } from "./callback_server.ts";
import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";
import { REGISTERED_PORTS } from "./binding.ts";
import { createLoginAttempt } from "./oauth/attempt.ts";
import { buildAuthorizationUrl } from "./oauth/authorization.ts";
import { isDefaultIssuer } from "./oauth/issuer.ts";
import { prepareLogin } from "./preflight.ts";
import { printable } from "./printable.ts";
import { createRedemption } from "./redemption.ts";
import { type Note, type StartedLogin, startLogin } from "./started_login.ts";
import { waitForCompletion, waitForFollowUp, waitForPage } from "./waiting.ts";
import type { World } from "./world.ts";

export interface MountedLoginOptions {
  /** Where the host serves the app: `http` on a loopback name; the path ends in /auth/callback. */
  readonly redirectUri: string;
  /** Milliseconds until a login that nobody completes ends; 0 for never. */
  readonly timeoutMs: number;
  readonly expectedWorkspaceIds: readonly string[];
}

/** What such a login tells while it runs. */
type MountedLoginEvent =
  | { readonly type: "waiting"; readonly authUrl: string; readonly app: CallbackApp }
  | { readonly type: "saved"; readonly login: SavedLogin }
  | { readonly type: "note"; readonly message: string };

export interface StartedMountedLogin extends StartedLogin {
  readonly authUrl: string;
  /** For the host's server to answer the redirect with. */
  readonly app: CallbackApp;
}

/**
 * Begins a sign-in with the browser whose answer comes to a host's own server.
 *
 * @throws {LoginError} when it cannot even begin.
 */
export async function startMountedLogin(
  world: World,
  config: Config,
  options: MountedLoginOptions,
  note: Note,
): Promise<StartedMountedLogin> {
  return await startLogin<Pick<StartedMountedLogin, "authUrl" | "app">>(
    world,
    (own, tell) =>
      mountedLogin(own, config, options, (event) => {
        if (event.type === "waiting") tell.shown({ authUrl: event.authUrl, app: event.app });
        else if (event.type === "saved") tell.saved(event.login);
        else note(event.message);
      }),
  );
}

/**
 * Signs a person in with the browser as login() does, but on a host's own server, which does not tell who is at the other end
 * of a connection: no page says who signed in, none carries a token on, and no request ends the login.
 *
 * @throws {LoginError}
 */
async function mountedLogin(
  world: World,
  config: Config,
  options: MountedLoginOptions,
  tell: (event: MountedLoginEvent) => void,
): Promise<SavedLogin> {
  const note = (message: string): void => tell({ type: "note", message });
  const redirect = parseRedirectUri(options.redirectUri);
  const { store, allowedWorkspaceIds } = await prepareLogin(
    world,
    config,
    options.expectedWorkspaceIds,
    note,
  );
  for (const message of [...config.notes, ...redirectNotes(config, redirect)]) note(message);

  const attempt = await createLoginAttempt(world.randomBytes, {
    issuer: config.issuer,
    clientId: config.clientId,
    redirectUri: redirect.href,
  });
  const { complete, followUp } = createRedemption(world, config, {
    attempt,
    store,
    allowedWorkspaceIds,
    tell: note,
  });
  const server = createCallbackServer(world, {
    attempt,
    port: portOf(redirect),
    landing: { place: "program" },
    complete,
  });
  const authUrl = buildAuthorizationUrl(attempt, {
    originator: config.originator,
    allowedWorkspaceIds,
  });
  tell({ type: "waiting", authUrl, app: server.app });

  const completed = await waitForCompletion(world, server, options.timeoutMs);
  const login: SavedLogin = {
    account: completed.account,
    store: store.kind,
    path: store.path,
    onboardingEntrypoint: completed.onboardingEntrypoint,
  };
  tell({ type: "saved", login });
  if (completed.setupUrl) {
    note("Your organization is not set up yet: finish that at the issuer's own site.");
  }
  await Promise.all([
    waitForPage(world, server, false),
    waitForFollowUp(world, followUp(), note),
  ]);
  return login;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** @throws {LoginError} USAGE */
function parseRedirectUri(given: string): URL {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : undefined;
  // Exactly as the parser writes it: the issuer compares it byte for byte.
  const isPlain = url?.href === given && !/[?#@\\%:*{}]/.test(url.pathname) &&
    !/[?#@\\]/.test(given) && !url.pathname.includes("//");
  if (
    url && isPlain && url.protocol === "http:" && LOOPBACK.has(url.hostname) &&
    url.pathname.endsWith(CALLBACK_PATH) && portOf(url) > 0
  ) return url;
  throw new LoginError("USAGE", "The redirect address cannot be used", {
    reason: printable(String(given).replace(/[?#].*$/s, ""), 100),
    hint: `give an address like http://127.0.0.1:3000${CALLBACK_PATH}, where the app is mounted`,
  });
}

/** The parser leaves out the port that the scheme implies. */
function portOf({ port }: URL): number {
  return port === "" ? 80 : Number(port);
}

function redirectNotes(config: Config, redirect: URL): string[] {
  const isKnown = REGISTERED_PORTS.includes(portOf(redirect)) &&
    redirect.pathname === CALLBACK_PATH;
  if (!isDefaultIssuer(config.issuer) || isKnown) return [];
  const known = REGISTERED_PORTS.map((port) => `http://127.0.0.1:${port}${CALLBACK_PATH}`);
  return [`The issuer knows only ${known.join(" and ")}; it may refuse ${redirect.href}.`];
}
