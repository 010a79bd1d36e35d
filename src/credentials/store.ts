import type { JsonObject } from "../json.ts";
import type { World } from "../world.ts";
import type { Credentials } from "./auth_file.ts";
import type { SentMark } from "./sent_mark.ts";

/** What keeping a login takes of the World. */
export type StoreWorld = Pick<
  World,
  | "runtime"
  | "sleep"
  | "now"
  | "elapsed"
  | "randomBytes"
  | "signal"
  | "env"
  | "platform"
  | "keyring"
>;

/** Told what a person should know while it goes on, in a sentence: whom we wait for, which place was taken instead. */
export type OnWait = (message: string) => void;

/** What was stored before a change, for those who have to deal with it afterwards. */
export interface Replaced {
  readonly earlier: Credentials | undefined;
  /** Where what was damaged was put, if it was. */
  readonly keptAside: string | undefined;
  /** The name under which the login that was in use is kept; then nothing was replaced. */
  readonly keptProfile?: string | undefined;
}

/** What a save is for: only a sign-in brings a login that may be another one than what is stored. */
export type Purpose = "sign-in" | "renewal";

/** A place where a login of one CODEX_HOME may lie, for those who end it. */
export interface CredentialPlace {
  /**
   * Runs `critical` as the only one of our processes that may renew this login, or move it away.
   *
   * @param hasTokens fresh ones are at stake: then no signal ends the wait.
   */
  renewing<T>(
    critical: (mark: SentMark) => Promise<T>,
    onWait?: OnWait,
    options?: { readonly hasTokens: boolean },
  ): Promise<T>;
  /** What is stored now, without a lock and without a change: what is stored is always whole. */
  load(tell?: OnWait): Promise<Credentials | undefined>;
  /** Fails if a stored login could not be removed, be it that the locks are not to be had; changes nothing. */
  proveRemovable(onWait?: OnWait): Promise<void>;
  /** Removes what is stored, if `isExpected` still finds in it what the caller has seen; tells whether it did. */
  remove(
    isExpected: (current: Credentials | undefined) => boolean,
    onWait?: OnWait,
  ): Promise<boolean>;
}

/** The credentials of one CODEX_HOME, shared with every other process that uses it. */
export interface CredentialStore extends Pick<CredentialPlace, "renewing" | "load"> {
  /** Where the login is, or a new one would go. Where that is decided on the way, it is right after each call. */
  readonly kind: "file" | "keyring" | "host";
  /** Of the file; null elsewhere. */
  readonly path: string | null;
  /** Fails if a login could not be saved; leaves nothing but the folder and the lock files. */
  prove(purpose: Purpose, onWait?: OnWait): Promise<void>;
  /**
   * Reads and writes under the locks. `change` is given what is stored (undefined when nothing is, or it is damaged) and
   * returns the new document, or undefined to leave everything as it is.
   *
   * @param lastSeen what was stored when the caller looked: it counts where nothing can be read any more.
   */
  update(
    change: (current: Credentials | undefined) => JsonObject | undefined,
    onWait?: OnWait,
    lastSeen?: Credentials,
  ): Promise<Replaced>;
}
