/** What one code means to each audience. `page` is the HTTP status of the browser page. */
export interface ErrorKind {
  readonly exit: number;
  readonly page: number;
  readonly title: string;
  /** The default next step; the place that throws may know a better one. */
  readonly hint: string;
}

const AGAIN = "codex-login";
const RETRY = "check the connection, then run codex-login again";

/** The closed list of everything that can go wrong, in one place: exit code, page and next step. */
export const ERROR_KINDS = {
  USAGE: { exit: 2, page: 500, title: "Wrong usage", hint: "codex-login --help" },
  CONFIG: {
    exit: 2,
    page: 500,
    title: "Settings not usable",
    hint: "correct the setting, then run the command again",
  },
  ISSUER_INVALID: {
    exit: 2,
    page: 500,
    title: "Issuer not usable",
    hint: "give an https address, or http on 127.0.0.1, [::1] or localhost",
  },
  STDIN_TERMINAL: {
    exit: 2,
    page: 500,
    title: "Key expected on stdin",
    hint: "printenv OPENAI_API_KEY | codex-login login --with-api-key",
  },

  LOGIN_METHOD_FORBIDDEN: {
    exit: 1,
    page: 403,
    title: "Sign-in method not allowed",
    hint: "use the method that config.toml allows",
  },
  API_KEY_INVALID: {
    exit: 1,
    page: 500,
    title: "Not an API key",
    hint: "printenv OPENAI_API_KEY | codex-login login --with-api-key",
  },
  PORT_BUSY: {
    exit: 1,
    page: 500,
    title: "Port busy",
    hint: "end the program that holds the port, or choose one with --port",
  },
  PORT_FORBIDDEN: {
    exit: 1,
    page: 500,
    title: "Port not allowed",
    hint: "choose another port with --port",
  },
  SUPERSEDED: {
    exit: 1,
    page: 409,
    title: "A newer sign-in took over",
    hint: "finish the newer sign-in",
  },
  ACCESS_DENIED: {
    exit: 1,
    page: 403,
    title: "Access was denied",
    hint: "run codex-login again and allow access",
  },
  ENTITLEMENT: {
    exit: 1,
    page: 403,
    title: "No access to Codex",
    hint: "ask the administrator of your workspace for access to Codex",
  },
  AUTHORIZATION_FAILED: { exit: 1, page: 400, title: "Sign-in was not completed", hint: AGAIN },
  AUTHORIZATION_CODE_MISSING: {
    exit: 1,
    page: 400,
    title: "Sign-in was not completed",
    hint: AGAIN,
  },
  ISSUER_MISMATCH: { exit: 1, page: 400, title: "Answer from another issuer", hint: AGAIN },
  WORKSPACE_MISMATCH: {
    exit: 1,
    page: 403,
    title: "Wrong workspace",
    hint: "run codex-login again and choose an allowed workspace",
  },
  TOKEN_ENDPOINT: { exit: 1, page: 502, title: "The issuer refused the sign-in", hint: AGAIN },
  TOKEN_RESPONSE_INVALID: {
    exit: 1,
    page: 502,
    title: "The issuer's answer is not usable",
    hint: "run codex-login again; if it stays so, check --issuer",
  },
  ID_TOKEN_INVALID: {
    exit: 1,
    page: 502,
    title: "The issuer's answer is not usable",
    hint: "run codex-login again; if it stays so, check --issuer",
  },

  CREDENTIALS_UNREADABLE: {
    exit: 3,
    page: 500,
    title: "Credentials cannot be read",
    hint: "check owner and mode of the file",
  },
  CREDENTIALS_CORRUPT: {
    exit: 3,
    page: 500,
    title: "Credentials are damaged",
    hint: "codex-login (the damaged file is kept aside)",
  },
  SAVE_FAILED: {
    exit: 3,
    page: 500,
    title: "Credentials cannot be saved",
    hint: "check space, owner and mode of the folder",
  },
  LOCK_BUSY: {
    exit: 3,
    page: 500,
    title: "Credentials are in use",
    hint: "end the process that holds the lock, then run the command again",
  },
  LOCK_UNSUPPORTED: {
    exit: 3,
    page: 500,
    title: "Credentials cannot be locked",
    hint: "use a folder on a local disk: --codex-home DIR",
  },
  OUTPUT_FAILED: {
    exit: 3,
    page: 500,
    title: "Output cannot be written",
    hint: "check where stdout goes",
  },
  KEYRING_UNAVAILABLE: {
    exit: 3,
    page: 500,
    title: "Keyring not usable",
    hint: "unlock the keyring, or add -c cli_auth_credentials_store=file to the command",
  },
  STORE_UNSUPPORTED: {
    exit: 3,
    page: 500,
    title: "Credential store not usable",
    hint: "add -c cli_auth_credentials_store=file to the command",
  },

  NOT_SIGNED_IN: { exit: 4, page: 500, title: "Nobody is signed in", hint: AGAIN },
  REFRESH_TOKEN_EXPIRED: { exit: 4, page: 500, title: "The login has expired", hint: AGAIN },
  REFRESH_TOKEN_REUSED: { exit: 4, page: 500, title: "The login was used up", hint: AGAIN },
  REFRESH_TOKEN_REVOKED: { exit: 4, page: 500, title: "The login was ended", hint: AGAIN },
  REFRESH_REFUSED: { exit: 4, page: 500, title: "The login cannot be renewed", hint: AGAIN },
  ACCOUNT_MISMATCH: { exit: 4, page: 500, title: "Tokens of another account", hint: AGAIN },

  REFRESH_FAILED: {
    exit: 5,
    page: 502,
    title: "The issuer could not renew the login",
    hint: "run the command again in a while",
  },
  DNS: { exit: 5, page: 502, title: "The issuer cannot be found", hint: RETRY },
  CONNECT_REFUSED: { exit: 5, page: 502, title: "The issuer cannot be reached", hint: RETRY },
  CONNECT_TIMEOUT: { exit: 5, page: 504, title: "The issuer cannot be reached", hint: RETRY },
  CONNECTION_RESET: { exit: 5, page: 502, title: "The connection broke", hint: RETRY },
  TLS: {
    exit: 5,
    page: 502,
    title: "The connection is not secure",
    hint: "if a company proxy inspects TLS, add its CA with NODE_EXTRA_CA_CERTS",
  },
  NETWORK: { exit: 5, page: 502, title: "The issuer cannot be reached", hint: RETRY },
  RESPONSE_TIMEOUT: { exit: 5, page: 504, title: "The issuer did not answer in time", hint: AGAIN },
  RESPONSE_TOO_LARGE: {
    exit: 1,
    page: 502,
    title: "The issuer's answer is not usable",
    hint: AGAIN,
  },

  LOGIN_TIMEOUT: {
    exit: 6,
    page: 504,
    title: "Nobody completed the sign-in in time",
    hint: "codex-login (--timeout 0 waits forever)",
  },
  INTERNAL: {
    exit: 70,
    page: 500,
    title: "A bug in codex-login",
    hint: "report it, with the version and what you did",
  },
  HANGUP: { exit: 129, page: 500, title: "The sign-in was cancelled", hint: AGAIN },
  INTERRUPTED: { exit: 130, page: 500, title: "The sign-in was cancelled", hint: AGAIN },
  TERMINATED: { exit: 143, page: 500, title: "The sign-in was cancelled", hint: AGAIN },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;
