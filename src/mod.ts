/**
 * Sign in to ChatGPT/Codex from a program of your own, on Deno, Bun or Node 20.3 and later. Importing this has no effects; what
 * is called writes to no stream, ends no process and changes nothing of the environment. All times are RFC 3339 in UTC, all
 * durations milliseconds, and every failure is a {@link LoginError} with a `code`.
 *
 * @example
 * ```ts
 * import { getAccessToken, startBrowserLogin } from "codex-login";
 *
 * const login = await startBrowserLogin();
 * console.log(`Open ${login.authUrl}`);
 * const { account } = await login.done;
 * const { token } = await getAccessToken();
 * ```
 *
 * @module
 */
import type { Hono } from "hono";
import { LoginError } from "./errors.ts";
import { begin } from "./library_login.ts";
import type {
  AccessTokenOptions,
  BrowserLoginOptions,
  CallbackAppOptions,
  CommonOptions,
  DeviceLoginOptions,
  LogoutOptions,
} from "./library_options.ts";
import { withLibrarySession } from "./library_session.ts";
import type { LoginHandle } from "./login_handle.ts";
import { logout as endLogin, type LogoutOutcome } from "./logout.ts";
import { startMountedLogin } from "./mounted_login.ts";
import { formatRfc3339 } from "./rfc3339.ts";
import {
  startBrowserLogin as startBrowser,
  startDeviceLogin as startDevice,
} from "./started_login.ts";
import { readStatus, type Status } from "./status.ts";
import { obtainToken, type Token } from "./token.ts";

export type { Account } from "./account.ts";
export type { HostIdentity } from "./config.ts";
export type { AuthMode } from "./credentials/auth_file.ts";
export type { ErrorCode } from "./error_kinds.ts";
export { LoginError } from "./errors.ts";
export type { ForeignFetch } from "./foreign_fetch.ts";
export { createMemoryStore, type HostStore } from "./host_store.ts";
export type {
  AccessTokenOptions,
  BrowserLoginOptions,
  CallbackAppOptions,
  CommonOptions,
  DeviceLoginOptions,
  LogoutOptions,
  SignInOptions,
} from "./library_options.ts";
export type { LoginHandle, LoginResult } from "./login_handle.ts";
export type { LogoutOutcome } from "./logout.ts";
export type { Status } from "./status.ts";

/** Milliseconds that a person has to sign in with the browser, if the program does not say. */
const BROWSER_MS = 10 * 60_000;

/** An access token that works now. `token` is a secret. */
export type AccessToken = Token;

export interface BrowserLogin extends LoginHandle {
  /** Where the person signs in. */
  readonly authUrl: string;
  /** Where the browser's answer is waited for. */
  readonly port: number;
}

/**
 * Begins a sign-in with the browser, on a listener of its own on loopback. It ends after ten minutes, if `timeoutMs` does not
 * say otherwise. Without a `port` a newer sign-in of the same person, in any program, takes the port over: SUPERSEDED.
 *
 * @throws {LoginError} when it cannot even begin (PORT_BUSY, SAVE_FAILED, CONFIG, USAGE, …); nothing is left of it then.
 */
export async function startBrowserLogin(options: BrowserLoginOptions = {}): Promise<BrowserLogin> {
  return await begin("startBrowserLogin", options, async ({ world, config, note }) => {
    const started = await startBrowser(world, config, {
      openBrowser: options.openBrowser ?? false,
      browser: undefined,
      port: options.port,
      redirectHost: options.redirectHost ?? "127.0.0.1",
      timeoutMs: options.timeoutMs ?? BROWSER_MS,
      expectedWorkspaceIds: options.expectedWorkspaceIds ?? [],
      landing: { place: "program" },
    }, note);
    return { started, shown: { authUrl: started.authUrl, port: started.port } };
  });
}

export interface DeviceLogin extends LoginHandle {
  /** Where the person enters the code, on any device. */
  readonly verificationUrl: string;
  readonly userCode: string;
  /** When the code, or the program's time limit, ends. */
  readonly expiresAt: string;
}

/**
 * Begins a sign-in with a code that the person enters on any device. It ends with the code, fifteen minutes if the issuer does
 * not say otherwise, or earlier with `timeoutMs`.
 *
 * @throws {LoginError} when there is no code (DEVICE_CODE_UNAVAILABLE, NETWORK, …) or it could not be used.
 */
export async function startDeviceLogin(options: DeviceLoginOptions = {}): Promise<DeviceLogin> {
  return await begin("startDeviceLogin", options, async ({ world, config, note }) => {
    const started = await startDevice(world, config, {
      timeoutMs: options.timeoutMs,
      expectedWorkspaceIds: options.expectedWorkspaceIds ?? [],
    }, note);
    const { verificationUrl, userCode } = started;
    const expiresAt = formatRfc3339(started.expiresAt);
    return { started, shown: { verificationUrl, userCode, expiresAt } };
  });
}

export interface CallbackLogin extends LoginHandle {
  /**
   * Answers the redirect. Mount it: `host.route("/", app)`, or under a prefix that `redirectUri` has too. It answers on
   * `…/auth/callback`, on `…/success` once the login is stored, and nowhere else; one app serves one sign-in. A Hono server
   * that has answered a request takes no more routes: it hands such requests on itself,
   * `host.all("/auth/callback", (c) => app.fetch(c.req.raw))`.
   */
  readonly app: Hono;
  readonly authUrl: string;
}

/**
 * Begins a sign-in with the browser whose answer comes to a server of the program's own. That server does not tell who asks,
 * so the last page does not say who signed in. It ends after ten minutes, if `timeoutMs` does not say otherwise.
 *
 * @throws {LoginError} USAGE, SAVE_FAILED, CONFIG, …; nothing is left of it then.
 */
export async function createCallbackApp(options: CallbackAppOptions): Promise<CallbackLogin> {
  return await begin("createCallbackApp", options, async ({ world, config, note }) => {
    const started = await startMountedLogin(world, config, {
      redirectUri: options.redirectUri,
      timeoutMs: options.timeoutMs ?? BROWSER_MS,
      expectedWorkspaceIds: options.expectedWorkspaceIds ?? [],
    }, note);
    const app = started.app as unknown as Hono;
    return { started, shown: { app, authUrl: started.authUrl } };
  });
}

/**
 * An access token that works now. It is renewed when it has to be, once for all programs that share the login, as
 * `codex-login token` does. A token that was renewed but could not be saved comes with `saveError`: it works, and the next
 * call may ask for a new sign-in.
 *
 * @throws {LoginError} NOT_SIGNED_IN and the REFRESH_… codes when somebody has to sign in; a network code when the issuer
 * cannot be asked; CREDENTIALS_…, SAVE_FAILED or LOCK_… when the login cannot be read or kept.
 */
export async function getAccessToken(options: AccessTokenOptions = {}): Promise<AccessToken> {
  return await withLibrarySession("getAccessToken", options, async ({ world, config, note }) => {
    const { minTtlMs, refused } = options;
    for (const message of config.notes) note(message);
    const found = await obtainToken(world, config, {
      minTtlMs,
      refused,
      isForced: false,
      tell: note,
    });
    if (found.token !== refused) return found;
    throw new LoginError(
      "REFRESH_REFUSED",
      "There is no other token than the one that was refused",
    );
  });
}

/**
 * Who is signed in, as far as what is stored here tells: nobody is asked and nothing is changed.
 *
 * @throws {LoginError} CREDENTIALS_CORRUPT, CREDENTIALS_UNREADABLE or KEYRING_UNAVAILABLE
 */
export async function status(options: CommonOptions = {}): Promise<Status> {
  return await withLibrarySession(
    "status",
    options,
    ({ world, config }) => readStatus(world, config),
  );
}

/**
 * Ends the login at its issuer and removes it here, whatever the issuer says; the outcome tells both.
 *
 * @throws {LoginError} when it could not be removed; then nothing was ended.
 */
export async function logout(options: LogoutOptions = {}): Promise<LogoutOutcome> {
  return await withLibrarySession("logout", options, ({ world, config, note }) => {
    const { localOnly = false } = options;
    for (const message of config.notes) note(message);
    return endLogin(world, config, { localOnly, tell: note });
  });
}
