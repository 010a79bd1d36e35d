import type { SavedLogin } from "./accept_tokens.ts";
import { deferred } from "./deferred.ts";
import { LoginError, toLoginError } from "./errors.ts";
import type { StartedLogin } from "./started_login.ts";
import type { World } from "./world.ts";

/** What came of a login: it is stored, or this ended it. */
export type LoginResult =
  | { readonly login: SavedLogin; readonly error?: never }
  | { readonly error: LoginError; readonly login?: never };

/** What ends a login that waits when somebody signs out. */
export function canceledByLogout(): LoginError {
  return new LoginError("CANCELED", "The sign-in was cancelled", { reason: "a logout" });
}

/** The one login that a program may have under way; a new one takes the place of the one before. */
export interface LoginSlot {
  /**
   * Ends the login that is under way, begins this one, and calls `onStarted` before anything else can be told of it. `onEnd`
   * of the one before was called by then.
   *
   * @throws {LoginError} what `begin` throws; SUPERSEDED when another one took its place before it had begun.
   */
  start<S extends StartedLogin>(
    begin: (world: World) => Promise<S>,
    onStarted: (id: string, started: S) => void,
    onEnd: (id: string, result: LoginResult) => void,
  ): Promise<void>;
  /**
   * Ends the login that is under way, and does this while none is.
   *
   * @param work in a World whose signal tells that something else is to take its place.
   * @param why tells the login what ended it; absent: a newer sign-in.
   */
  exclusively<T>(work: (world: World) => Promise<T>, why?: LoginError): Promise<T>;
  /**
   * Ends what is under way if nobody has been told of it yet: it may hang, and something else is to take its place.
   *
   * @param why tells it what ended it; absent: a newer sign-in.
   * @returns whether there was anything.
   */
  interrupt(why?: LoginError): boolean;
  /**
   * Ends this login and calls `onEnded`, before its own `onEnd`, with whether that worked: one that is unknown, over, or being
   * stored is not ended.
   */
  cancel(id: string, onEnded: (isCanceled: boolean) => void): Promise<void>;
  /** The one that is under way, and not stored yet. */
  pendingId(): string | undefined;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

interface Current {
  readonly ending: AbortController;
  id: string | undefined;
  isSettled: boolean;
  readonly cancelers: ((result: LoginResult) => void)[];
}

export function createLoginSlot(world: World): LoginSlot {
  /** Of what was asked for last. It never rejects. */
  let tail: Promise<unknown> = Promise.resolve();
  let current: Current | undefined;

  /** One after the other; each ends what was there before. */
  const superseded = (): LoginError => new LoginError("SUPERSEDED", "A newer sign-in took over");
  const worldOf = ({ ending }: Current): World => ({
    ...world,
    signal: AbortSignal.any([world.signal, ending.signal]),
  });

  function enter<T>(work: (own: Current) => Promise<T>, why = superseded()): Promise<T> {
    current?.ending.abort(why);
    const own: Current = {
      ending: new AbortController(),
      id: undefined,
      isSettled: false,
      cancelers: [],
    };
    current = own;
    const entered = tail.then(() => work(own));
    tail = entered.catch(() => {}).finally(() => {
      if (current === own) current = undefined;
    });
    return entered;
  }

  return {
    start(begin, onStarted, onEnd): Promise<void> {
      const begun = deferred<void>();
      const lasting = enter(async (own) => {
        own.ending.signal.throwIfAborted();
        const started = await begin(worldOf(own));
        const id = createUuid(world.randomBytes);
        own.id = id;
        onStarted(id, started);
        begun.resolve();
        const result = await started.saved.then(
          (login): LoginResult => ({ login }),
          (thrown): LoginResult => ({ error: toLoginError(thrown) }),
        );
        own.isSettled = true;
        for (const canceler of own.cancelers) canceler(result);
        onEnd(id, result);
        await started.ended;
      });
      lasting.catch(begun.reject);
      return begun.promise;
    },
    exclusively: (work, why) =>
      enter(async (own) => {
        own.isSettled = true;
        return await work(worldOf(own));
      }, why),
    interrupt(why = superseded()): boolean {
      if (!current || current.id !== undefined) return false;
      current.ending.abort(why);
      return !current.isSettled;
    },
    cancel(id, onEnded): Promise<void> {
      const own = current;
      if (own === undefined || own.id !== id || own.isSettled) {
        onEnded(false);
        return Promise.resolve();
      }
      const ended = deferred<void>();
      own.cancelers.push((result) => {
        onEnded(result.error?.code === "CANCELED");
        ended.resolve();
      });
      own.ending.abort(new LoginError("CANCELED", "The sign-in was cancelled"));
      return ended.promise;
    },
    pendingId: () => current?.isSettled === false ? current.id : undefined,
    idle: async () => void await tail,
  };
}

/** @see https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
function createUuid(randomBytes: World["randomBytes"]): string {
  const bytes = Buffer.from(randomBytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
