import type { SavedLogin } from "./accept_tokens.ts";
import type { Config } from "./config.ts";
import { deferred } from "./deferred.ts";
import { deviceLogin, type DeviceLoginOptions } from "./device_login.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { login, type LoginOptions } from "./login.ts";
import { beginStory, describeFailure } from "./story.ts";
import type { World } from "./world.ts";

/** A login under way, for a program that has its own way to show it. */
export interface StartedLogin {
  /** Resolves when the login is stored, rejects with the LoginError that ended it. */
  readonly saved: Promise<SavedLogin>;
  /** Resolves when nothing of it goes on any more: the last page is delivered, the port is free. Never rejects. */
  readonly ended: Promise<void>;
  /** Ends it, unless it is being stored already: then it goes on. What came of it, `saved` tells. */
  cancel(reason?: LoginError): void;
}

export interface StartedBrowserLogin extends StartedLogin {
  /** Where the person signs in. It holds the state, which is of use in this login only. */
  readonly authUrl: string;
  readonly port: number;
}

export interface StartedDeviceLogin extends StartedLogin {
  readonly verificationUrl: string;
  readonly userCode: string;
  /** When the code, or our patience, ends: ms since the epoch. */
  readonly expiresAt: number;
}

/** Told what a person should know meanwhile. */
export type Note = (message: string) => void;

/**
 * Begins a sign-in with the browser, and resolves once the browser can be sent to it.
 *
 * @throws {LoginError} when it cannot even begin; nothing is left of it then.
 */
export async function startBrowserLogin(
  world: World,
  config: Config,
  options: LoginOptions,
  note: Note,
): Promise<StartedBrowserLogin> {
  return await startLogin<Pick<StartedBrowserLogin, "authUrl" | "port">>(
    world,
    (own, tell) =>
      login(own, config, options, (event) => {
        if (event.type === "waiting") tell.shown({ authUrl: event.authUrl, port: event.port });
        else if (event.type === "saved") tell.saved(event.login);
        else note(event.message);
      }),
  );
}

/**
 * Begins a sign-in with a device code, and resolves once there is one.
 *
 * @throws {LoginError} when it cannot even begin.
 */
export async function startDeviceLogin(
  world: World,
  config: Config,
  options: DeviceLoginOptions,
  note: Note,
): Promise<StartedDeviceLogin> {
  type Shown = Pick<StartedDeviceLogin, "verificationUrl" | "userCode" | "expiresAt">;
  return await startLogin<Shown>(
    world,
    (own, tell) =>
      deviceLogin(own, config, options, (event) => {
        if (event.type === "device_code") {
          const { verificationUrl, userCode, expiresAt } = event;
          tell.shown({ verificationUrl, userCode, expiresAt });
        } else if (event.type === "saved") tell.saved(event.login);
        else note(event.message);
      }),
  );
}

/**
 * Begins any of them, and resolves once there is something to show.
 *
 * @throws {LoginError}
 */
export async function startLogin<Shown>(
  world: World,
  run: (
    world: World,
    tell: { shown(what: Shown): void; saved(login: SavedLogin): void },
  ) => Promise<SavedLogin>,
): Promise<StartedLogin & Shown> {
  const ending = new AbortController();
  const shown = deferred<Shown>();
  const saved = deferred<SavedLogin>();
  saved.promise.catch(() => {});
  const signal = AbortSignal.any([world.signal, ending.signal]);
  const own = beginStory({ ...world, signal });
  const ended = run(own, { shown: shown.resolve, saved: saved.resolve }).then(
    () => {},
    (thrown) => {
      const failure = describeFailure(toLoginError(thrown));
      own.log.write("error", "codex_login::story", "the sign-in failed", failure);
      shown.reject(thrown);
      saved.reject(thrown);
    },
  );
  const what = await shown.promise;
  return {
    ...what,
    saved: saved.promise,
    ended,
    cancel: (reason = new LoginError("CANCELED", "The sign-in was cancelled")) =>
      ending.abort(reason),
  };
}
