import * as v from "valibot";
import type { HostIdentity } from "./config.ts";
import { MAX_TIMER_MS } from "./duration.ts";
import { LoginError } from "./errors.ts";
import type { ForeignFetch } from "./foreign_fetch.ts";
import type { HostStore } from "./host_store.ts";
import { printable } from "./printable.ts";

/** What every function here takes; all of it can be left out. */
export interface CommonOptions {
  /** The folder of the stored login and of its config.toml. Default: `$CODEX_HOME`, else `~/.codex`. */
  readonly codexHome?: string | undefined;
  /** Settings over those of config.toml, as `-c key=value` on the command line. */
  readonly settings?:
    | Readonly<Record<string, string | number | boolean | readonly string[]>>
    | undefined;
  /** Where the login is kept: a store of the program's own, or one of the person's. Default: what the settings say. */
  readonly store?: "file" | "keyring" | "auto" | HostStore | undefined;
  /** Whom the issuer is told that asks: a name of 1 to 200 visible ASCII characters and spaces, and a version. */
  readonly originator?: HostIdentity | undefined;
  /** Makes every call to the issuer. Its answers are bounded here: 30 s, 1 MiB, no redirects. */
  readonly fetch?: ForeignFetch | undefined;
  /** Ends what is under way: it rejects with CANCELED, unless the login is being stored already. */
  readonly signal?: AbortSignal | undefined;
  /** Told, in a sentence, what a person should know while it goes on. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** The environment, which is only read. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What every sign-in takes. */
export interface SignInOptions extends CommonOptions {
  /** An `https` address, or `http` on 127.0.0.1, [::1] or localhost. Default: https://auth.openai.com */
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  /** Any other workspace is refused before anything is saved. */
  readonly expectedWorkspaceIds?: readonly string[] | undefined;
  /** Milliseconds until a sign-in that nobody completes ends; 0 for never. */
  readonly timeoutMs?: number | undefined;
}

export interface BrowserLoginOptions extends SignInOptions {
  /** Listen here only; 0 picks a free port, which the default issuer does not know. Default: 1455, else 1457. */
  readonly port?: number | undefined;
  /** The name in the redirect address. Default: "127.0.0.1" */
  readonly redirectHost?: "127.0.0.1" | "localhost" | undefined;
  /** Opens the person's browser; a failure to do so is a note. Default: false, the program shows `authUrl` itself. */
  readonly openBrowser?: boolean | undefined;
}

export type DeviceLoginOptions = SignInOptions;

export interface CallbackAppOptions extends SignInOptions {
  /**
   * Where the host serves the app: `http://127.0.0.1:PORT/auth/callback`, with localhost or [::1] too, and with a prefix before
   * the path. Requests for another port or name are refused.
   */
  readonly redirectUri: string;
}

export interface AccessTokenOptions extends CommonOptions {
  /** What the token must be good for at least. Default: five minutes, if that is to be had. */
  readonly minTtlMs?: number | undefined;
  /** A token that an API refused (401): another one is got, and the login renewed if it still holds that one. */
  readonly refused?: string | undefined;
}

export interface LogoutOptions extends CommonOptions {
  /** Removes the login here, and does not ask the issuer to end it. */
  readonly localOnly?: boolean | undefined;
}

const text = v.optional(v.string());
const callback = v.optional(v.function());
const hasMembers = (...names: readonly string[]) => (value: unknown): boolean =>
  typeof value === "object" && value !== null && names.every((name) => name in value);

const COMMON = {
  codexHome: text,
  settings: v.optional(v.record(
    v.pipe(v.string(), v.regex(/^[\w-]+$/)),
    v.union([v.string(), v.pipe(v.number(), v.finite()), v.boolean(), v.array(v.string())]),
  )),
  store: v.optional(v.union([
    v.picklist(["file", "keyring", "auto"]),
    v.custom<HostStore>(hasMembers("read", "write", "remove")),
  ])),
  originator: v.optional(v.object({
    name: v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,200}$/), v.regex(/^\S(.*\S)?$/)),
    version: v.string(),
  })),
  fetch: callback,
  signal: v.optional(v.custom<AbortSignal>(hasMembers("aborted", "addEventListener"))),
  onNote: callback,
  env: v.optional(v.custom(hasMembers())),
};

const SIGN_IN = {
  ...COMMON,
  issuer: text,
  clientId: text,
  expectedWorkspaceIds: v.optional(v.array(v.string())),
  timeoutMs: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_TIMER_MS)),
  ),
};

const PORT = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)));

/** The functions that take options. */
export type LibraryFunction =
  | "startBrowserLogin"
  | "startDeviceLogin"
  | "createCallbackApp"
  | "getAccessToken"
  | "status"
  | "logout";

/** By function. A name that is none of these is refused: a check that was asked for must not be skipped in silence. */
const OPTIONS: Record<LibraryFunction, v.GenericSchema> = {
  startBrowserLogin: v.strictObject({
    ...SIGN_IN,
    port: PORT,
    redirectHost: v.optional(v.picklist(["127.0.0.1", "localhost"])),
    openBrowser: v.optional(v.boolean()),
  }),
  startDeviceLogin: v.strictObject(SIGN_IN),
  createCallbackApp: v.strictObject({ ...SIGN_IN, redirectUri: v.string() }),
  getAccessToken: v.strictObject({
    ...COMMON,
    minTtlMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
    refused: text,
  }),
  status: v.strictObject(COMMON),
  logout: v.strictObject({ ...COMMON, localOnly: v.optional(v.boolean()) }),
};

/** @throws {LoginError} USAGE, naming the option and nothing of its value. */
export function checkOptions(name: LibraryFunction, options: unknown): void {
  const { issues } = v.safeParse(OPTIONS[name], options);
  if (!issues) return;
  const [issue] = issues;
  const path = v.getDotPath(issue);
  const what = path === null ? "The options" : `The option ${printable(path, 60)}`;
  throw new LoginError("USAGE", `${what} of ${name}() cannot be used`, {
    reason: issue.type === "strict_object" && path !== null
      ? "there is no such option"
      : `it is not ${issue.expected ?? "of the right form"}`,
    hint: "see the type of the options",
  });
}
