import type { SavedLogin } from "./accept_tokens.ts";
import { openBrowser } from "./browser.ts";
import { createCallbackServer } from "./callback_server.ts";
import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";
import { type EarlyBinding, type RedirectHost, REGISTERED_PORTS } from "./binding.ts";
import { HARDENED_HEADERS } from "./hardened_headers.ts";
import { listen, type Listener } from "./listener.ts";
import { createLoginAttempt } from "./oauth/attempt.ts";
import { buildAuthorizationUrl } from "./oauth/authorization.ts";
import { isDefaultIssuer } from "./oauth/issuer.ts";
import type { Landing } from "./pages.ts";
import { createPaste, type PasteOutcome } from "./paste.ts";
import { createAudience, isOwnPeer } from "./peer.ts";
import { checkReachable, prepareLogin } from "./preflight.ts";
import { createRedemption } from "./redemption.ts";
import type { RequestHandler } from "./runtime/runtime.ts";
import { tellStep } from "./story.ts";
import { detectSurroundings, type Surroundings } from "./surroundings.ts";
import { systemFiles } from "./system_files.ts";
import { PAGE_MS, waitForCompletion, waitForFollowUp, waitForPage } from "./waiting.ts";
import { environmentValue, type World } from "./world.ts";

export interface LoginOptions {
  /** Open a browser, with this program if one is named, or if one is there. */
  readonly openBrowser: boolean;
  readonly browser: string | undefined;
  /** Listen here only; 0 picks a free port. */
  readonly port: number | undefined;
  readonly redirectHost: RedirectHost;
  /** Milliseconds until a login that nobody completes ends; 0 for never. */
  readonly timeoutMs: number;
  readonly expectedWorkspaceIds: readonly string[];
  readonly landing: Landing;
  /** The port, where it was taken before all this was loaded. */
  readonly early?: EarlyBinding | undefined;
}

/** What a login tells while it runs. */
export type LoginEvent =
  | {
    readonly type: "waiting";
    readonly authUrl: string;
    readonly port: number;
    /** Whether a browser is being opened. */
    readonly opens: boolean;
    readonly surroundings: Surroundings;
    readonly handle: LoginHandle;
  }
  | { readonly type: "saved"; readonly login: SavedLogin }
  | { readonly type: "note"; readonly message: string };

/** What a person can do about a login that waits. */
export interface LoginHandle {
  /** Takes the redirect address, or the code in it, where the browser cannot bring it. */
  paste(text: string): Promise<PasteOutcome>;
  /** Opens the address in the browser, once more. */
  open(): void;
  /** Ends it as a newer sign-in would; false when it is too late for that. */
  giveWay(): boolean;
}

/**
 * Signs a person in with the browser and saves the login. Whatever fails, an earlier login stays as it was.
 *
 * @throws {LoginError}
 * @see https://www.rfc-editor.org/rfc/rfc8252
 */
export async function login(
  world: World,
  config: Config,
  options: LoginOptions,
  tell: (event: LoginEvent) => void,
): Promise<SavedLogin> {
  const note = (message: string): void => tell({ type: "note", message });
  const { early, prepared } = await holdShortly(
    world,
    options.early,
    prepareLogin(world, config, options.expectedWorkspaceIds, note),
  );
  const { store, allowedWorkspaceIds } = prepared;

  let handler: RequestHandler = () =>
    new Response(null, { status: 503, headers: HARDENED_HEADERS });
  const listener = await tellStep(world, "listening", () =>
    listen(world, {
      port: options.port,
      redirectHost: options.redirectHost,
      handler: (request, peer) => handler(request, peer),
      early,
    }));
  const answered = new AbortController();
  try {
    for (
      const message of [
        ...config.notes,
        ...listener.notes,
        ...portNotes(config, listener),
      ]
    ) note(message);
    const attempt = await createLoginAttempt(world.randomBytes, {
      issuer: config.issuer,
      clientId: config.clientId,
      redirectUri: `http://${options.redirectHost}:${listener.port}/auth/callback`,
    });
    const { complete, followUp } = createRedemption(world, config, {
      attempt,
      store,
      allowedWorkspaceIds,
      tell: note,
    });
    const server = createCallbackServer(world, {
      attempt,
      port: listener.port,
      mayCancel: (peer) => isOwnPeer(world, peer, listener.port),
      audience: createAudience(world, listener.port),
      landing: options.landing,
      complete,
    });
    handler = (request, peer) => server.app.fetch(request, { peer });

    const authUrl = buildAuthorizationUrl(attempt, {
      originator: config.originator,
      allowedWorkspaceIds,
    });
    const open = (): void => {
      tellStep(world, "browser start", () => openBrowser(world, authUrl, options.browser)).then(
        (told) => {
          if (told === undefined) return;
          world.log.write("warning", "codex_login::story", "no browser was seen", { cause: told });
          note(told);
        },
      );
    };
    const takePaste = createPaste(attempt, server, world.log);
    let isPasted = false;
    const handle: LoginHandle = {
      open,
      async paste(text): Promise<PasteOutcome> {
        const outcome = await takePaste(text);
        isPasted ||= outcome.isTaken;
        return outcome;
      },
      giveWay: () => server.end(new LoginError("SUPERSEDED", "The sign-in goes on in another way")),
    };
    const surroundings = detectSurroundings(world, systemFiles, listener.port);
    const named = options.browser ?? environmentValue(world, "BROWSER");
    const opens = options.openBrowser &&
      (named !== undefined || surroundings.canOpenBrowser);
    tell({ type: "waiting", authUrl, port: listener.port, opens, surroundings, handle });
    if (opens) open();
    // After the address, which nothing shall push away. Editors and programs have nobody who reads on.
    if (options.landing.place === "terminal") {
      checkReachable(world, config.issuer, answered.signal).then((warning) => {
        if (warning !== undefined) note(warning);
      });
    }

    const completed = await waitForCompletion(world, server, options.timeoutMs);
    answered.abort();
    const login: SavedLogin = {
      account: completed.account,
      store: store.kind,
      path: store.path,
      onboardingEntrypoint: completed.onboardingEntrypoint,
    };
    tell({ type: "saved", login });
    if (isPasted && completed.setupUrl) {
      note("Your organization is not set up yet: finish that at the issuer's own site.");
    }
    await Promise.all([
      // Who has pasted the address has no page here to wait for.
      isPasted ? undefined : waitForPage(world, server, completed.setupUrl !== undefined),
      waitForFollowUp(world, followUp(), note),
    ]);
    return login;
  } finally {
    answered.abort();
    await listener.close(PAGE_MS);
  }
}

/** Milliseconds for which a port may be held that nobody can be asked to give up yet, and in which it is free again. */
export const EARLY_MS = 250;

/** A store may be waited for, and meanwhile the port is another login's that is ready for it. */
async function holdShortly<T>(
  world: World,
  early: EarlyBinding | undefined,
  preparing: Promise<T>,
): Promise<{ early: EarlyBinding | undefined; prepared: T }> {
  if (!early) return { early, prepared: await preparing };
  const enough = new AbortController();
  const pause = world.sleep(EARLY_MS, enough.signal).then(() => "late" as const);
  try {
    const isLate = await Promise.race([preparing, pause]) === "late";
    if (!isLate) return { early, prepared: await preparing };
    await Promise.race([early.release(), world.sleep(EARLY_MS)]);
    return { early: undefined, prepared: await preparing };
  } catch (thrown) {
    early.release().catch(() => {});
    throw thrown;
  } finally {
    enough.abort();
  }
}

function portNotes(config: Config, { port }: Listener): string[] {
  if (!isDefaultIssuer(config.issuer) || REGISTERED_PORTS.includes(port)) return [];
  return [
    `The issuer knows only the ports ${REGISTERED_PORTS.join(" and ")}; it may refuse ${port}.`,
  ];
}
