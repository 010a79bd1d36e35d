import { type Config, configForHost, type HostIdentity } from "./config.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { createLoginSlot, type LoginResult, type LoginSlot } from "./login_slot.ts";
import { printable } from "./printable.ts";
import { startBrowserLogin, startDeviceLogin, type StartedLogin } from "./started_login.ts";
import type { World } from "./world.ts";

/** Where the person goes. */
export type Shown =
  | { readonly method: "browser"; readonly authUrl: string }
  | {
    readonly method: "device_code";
    readonly verificationUrl: string;
    readonly userCode: string;
  };

/** A sign-in that was begun here. */
export interface McpLogin {
  readonly id: string;
  readonly shown: Shown;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** By the clock that only goes forward. */
  readonly begunAt: number;
  readonly limitMs: number;
  /** What was told meanwhile, cleaned. */
  readonly notes: readonly string[];
  /** Undefined while it waits. */
  readonly result: LoginResult | undefined;
  /** Never rejects. */
  readonly ended: Promise<LoginResult>;
}

export interface LoginRequest {
  readonly method: Shown["method"];
  /** ms until it ends by itself. */
  readonly timeoutMs: number;
  /** Who asks for it, as the issuer is told. */
  readonly host: HostIdentity | undefined;
}

/** The sign-ins of one server: one at a time, and what came of the last ones. */
export interface McpLogins
  extends Pick<LoginSlot, "cancel" | "exclusively" | "idle" | "interrupt"> {
  /**
   * Takes the place of what is under way. Nothing is told of it before `onStarted` returned, and nothing after `onEnd`.
   *
   * @throws {LoginError} when it cannot begin.
   */
  begin(
    request: LoginRequest,
    onStarted?: (login: McpLogin) => void,
    onEnd?: (login: McpLogin, result: LoginResult) => void,
  ): Promise<McpLogin>;
  /** One of the last ones. */
  find(id: string): McpLogin | undefined;
  pending(): McpLogin | undefined;
  /** The one that ended last. */
  last(): McpLogin | undefined;
}

/** How many are remembered: a client may ask again for one that another one has ended. */
const REMEMBERED = 16;

/** @param say told what a person should know, cleaned. */
export function createMcpLogins(
  world: World,
  config: Config,
  say: (note: string) => void,
): McpLogins {
  const slot = createLoginSlot(world);
  const logins = new Map<string, McpLogin>();
  let last: McpLogin | undefined;

  function remember(login: McpLogin): void {
    logins.set(login.id, login);
    const [oldest] = logins.keys();
    if (logins.size > REMEMBERED && oldest !== undefined) logins.delete(oldest);
  }

  return {
    ...slot,
    async begin(request, onStarted, onEnd): Promise<McpLogin> {
      const own = request.host ? configForHost(world, config, request.host) : config;
      const notes: string[] = [];
      const begun = deferred<McpLogin>();
      let login: Begun | undefined;
      await slot.start(
        (slotWorld) =>
          start(slotWorld, own, request, (message) => {
            const note = printable(message);
            notes.push(note);
            say(note);
          }),
        (id, { shown, expiresAt }) => {
          const ending = deferred<LoginResult>();
          const begunAt = world.elapsed();
          const limitMs = expiresAt - world.now();
          const known = { id, shown, expiresAt, begunAt, limitMs, notes, result: undefined };
          login = { ...known, ending, ended: ending.promise };
          remember(login);
          onStarted?.(login);
          begun.resolve(login);
        },
        (_id, result) => {
          if (!login) return;
          login.result = result;
          last = login;
          onEnd?.(login, result);
          login.ending.resolve(result);
        },
      );
      return await begun.promise;
    },
    find: (id) => logins.get(id),
    pending: () => logins.get(slot.pendingId() ?? ""),
    last: () => last,
  };
}

interface Begun extends Omit<McpLogin, "result"> {
  result: LoginResult | undefined;
  readonly ending: Deferred<LoginResult>;
}

async function start(
  world: World,
  config: Config,
  { method, timeoutMs }: LoginRequest,
  note: (message: string) => void,
): Promise<StartedLogin & Pick<McpLogin, "shown" | "expiresAt">> {
  if (method === "device_code") {
    const options = { timeoutMs, expectedWorkspaceIds: [] };
    const started = await startDeviceLogin(world, config, options, note);
    const { verificationUrl, userCode, expiresAt } = started;
    return { ...started, expiresAt, shown: { method, verificationUrl, userCode } };
  }
  const started = await startBrowserLogin(world, config, {
    openBrowser: false,
    browser: undefined,
    port: undefined,
    redirectHost: "127.0.0.1",
    timeoutMs,
    expectedWorkspaceIds: [],
    landing: { place: "program" },
  }, note);
  const { authUrl } = started;
  return { ...started, expiresAt: world.now() + timeoutMs, shown: { method, authUrl } };
}
