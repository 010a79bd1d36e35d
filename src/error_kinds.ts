import { type ErrorKind, kind } from "./error_kind.ts";
import { NETWORK_KINDS, type NetworkCode } from "./network_kinds.ts";

export type { ErrorKind };

const AGAIN = "codex-login";

/** Spelt out, so that declarations of it can be made without the table. */
export type ErrorCode =
  | "USAGE"
  | "CONFIG"
  | "ISSUER_INVALID"
  | "STDIN_TERMINAL"
  | "PROFILE_NOT_FOUND"
  | "PROFILE_CONFLICT"
  | "LOGIN_METHOD_FORBIDDEN"
  | "API_KEY_INVALID"
  | "ACCESS_TOKEN_INVALID"
  | "PORT_BUSY"
  | "PORT_FORBIDDEN"
  | "CANCELED"
  | "SUPERSEDED"
  | "ACCESS_DENIED"
  | "ENTITLEMENT"
  | "DEVICE_CODE_UNAVAILABLE"
  | "AUTHORIZATION_FAILED"
  | "AUTHORIZATION_CODE_MISSING"
  | "ISSUER_MISMATCH"
  | "WORKSPACE_MISMATCH"
  | "TOKEN_ENDPOINT"
  | "TOKEN_RESPONSE_INVALID"
  | "ID_TOKEN_INVALID"
  | "CREDENTIALS_UNREADABLE"
  | "CREDENTIALS_CORRUPT"
  | "SAVE_FAILED"
  | "LOCK_BUSY"
  | "LOCK_UNSUPPORTED"
  | "OUTPUT_FAILED"
  | "KEYRING_UNAVAILABLE"
  | "STORE_UNSUPPORTED"
  | "NOT_SIGNED_IN"
  | "REFRESH_TOKEN_EXPIRED"
  | "REFRESH_TOKEN_REUSED"
  | "REFRESH_TOKEN_REVOKED"
  | "REFRESH_REFUSED"
  | "ACCOUNT_MISMATCH"
  | "REFRESH_FAILED"
  | "LOGIN_TIMEOUT"
  | "INTERNAL"
  | "HANGUP"
  | "INTERRUPTED"
  | "TERMINATED"
  | NetworkCode;

/** The closed list of everything that can go wrong, in one place: exit code, page and next step. */
export const ERROR_KINDS: Readonly<Record<ErrorCode, ErrorKind>> = {
  USAGE: kind(2, 500, "Wrong usage", "codex-login --help"),
  CONFIG: kind(2, 500, "Settings not usable", "correct the setting, then run the command again"),
  ISSUER_INVALID: kind(
    2,
    500,
    "Issuer not usable",
    "give an https address, or http on 127.0.0.1, [::1] or localhost",
  ),
  STDIN_TERMINAL: kind(
    2,
    500,
    "Key expected on stdin",
    "printenv OPENAI_API_KEY | codex-login login --with-api-key",
  ),
  PROFILE_NOT_FOUND: kind(2, 500, "No such profile", "codex-login profile list"),
  PROFILE_CONFLICT: kind(2, 500, "Profiles in conflict", "codex-login profile list"),

  LOGIN_METHOD_FORBIDDEN: kind(
    1,
    403,
    "Sign-in method not allowed",
    "use the method that config.toml allows",
  ),
  API_KEY_INVALID: kind(
    1,
    500,
    "Not an API key",
    "printenv OPENAI_API_KEY | codex-login login --with-api-key",
  ),
  ACCESS_TOKEN_INVALID: kind(
    1,
    500,
    "Not an access token",
    "printenv CODEX_ACCESS_TOKEN | codex-login login --with-access-token",
  ),
  PORT_BUSY: kind(
    1,
    500,
    "Port busy",
    "end the program that holds the port, or choose one with --port",
  ),
  PORT_FORBIDDEN: kind(1, 500, "Port not allowed", "choose another port with --port"),
  CANCELED: kind(1, 409, "The sign-in was cancelled", "start the sign-in again"),
  SUPERSEDED: kind(1, 409, "A newer sign-in took over", "finish the newer sign-in"),
  ACCESS_DENIED: kind(1, 403, "Access was denied", "run codex-login again and allow access"),
  ENTITLEMENT: kind(
    1,
    403,
    "No access to Codex",
    "ask the administrator of your workspace for access to Codex",
  ),
  DEVICE_CODE_UNAVAILABLE: kind(
    1,
    403,
    "No sign-in with a device code",
    "codex-login --no-browser",
  ),
  AUTHORIZATION_FAILED: kind(1, 400, "Sign-in was not completed", AGAIN),
  AUTHORIZATION_CODE_MISSING: kind(1, 400, "Sign-in was not completed", AGAIN),
  ISSUER_MISMATCH: kind(1, 400, "Answer from another issuer", AGAIN),
  WORKSPACE_MISMATCH: kind(
    1,
    403,
    "Wrong workspace",
    "run codex-login again and choose an allowed workspace",
  ),
  TOKEN_ENDPOINT: kind(1, 502, "The issuer refused the sign-in", AGAIN),
  TOKEN_RESPONSE_INVALID: kind(
    1,
    502,
    "The issuer's answer is not usable",
    "run codex-login again; if it stays so, check --issuer",
  ),
  ID_TOKEN_INVALID: kind(
    1,
    502,
    "The issuer's answer is not usable",
    "run codex-login again; if it stays so, check --issuer",
  ),

  CREDENTIALS_UNREADABLE: kind(
    3,
    500,
    "Credentials cannot be read",
    "check owner and mode of the file",
  ),
  CREDENTIALS_CORRUPT: kind(
    3,
    500,
    "Credentials are damaged",
    "codex-login (the damaged file is kept aside)",
  ),
  SAVE_FAILED: kind(
    3,
    500,
    "Credentials cannot be saved",
    "check space, owner and mode of the folder",
  ),
  LOCK_BUSY: kind(
    3,
    500,
    "Credentials are in use",
    "end the process that holds the lock, then run the command again",
  ),
  LOCK_UNSUPPORTED: kind(
    3,
    500,
    "Credentials cannot be locked",
    "use a folder on a local disk: --codex-home DIR",
  ),
  OUTPUT_FAILED: kind(3, 500, "Output cannot be written", "check where stdout goes"),
  KEYRING_UNAVAILABLE: kind(
    3,
    500,
    "Keyring not usable",
    "unlock the keyring; to sign in without it: codex-login -c cli_auth_credentials_store=file",
  ),
  STORE_UNSUPPORTED: kind(
    3,
    500,
    "Credential store not usable",
    'set cli_auth_credentials_store = "file" in config.toml',
  ),

  NOT_SIGNED_IN: kind(4, 500, "Nobody is signed in", AGAIN),
  REFRESH_TOKEN_EXPIRED: kind(4, 500, "The login has expired", AGAIN),
  REFRESH_TOKEN_REUSED: kind(4, 500, "The login was used up", AGAIN),
  REFRESH_TOKEN_REVOKED: kind(4, 500, "The login was ended", AGAIN),
  REFRESH_REFUSED: kind(4, 500, "The login cannot be renewed", AGAIN),
  ACCOUNT_MISMATCH: kind(4, 500, "Tokens of another account", AGAIN),

  REFRESH_FAILED: kind(
    5,
    502,
    "The issuer could not renew the login",
    "run the command again in a while",
  ),
  ...NETWORK_KINDS,

  LOGIN_TIMEOUT: kind(
    6,
    504,
    "Nobody completed the sign-in in time",
    "codex-login (--timeout 0 waits forever)",
  ),
  INTERNAL: kind(70, 500, "A bug in codex-login", "report it, with the version and what you did"),
  HANGUP: kind(129, 500, "The sign-in was cancelled", "run the command again"),
  INTERRUPTED: kind(130, 500, "The sign-in was cancelled", "run the command again"),
  TERMINATED: kind(143, 500, "The sign-in was cancelled", "run the command again"),
};
