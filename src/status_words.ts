import { accountJson, describeAccount, describePlace } from "./account_words.ts";
import { describeMode } from "./credentials/mode_words.ts";
import { printable } from "./printable.ts";
import type { Status } from "./status.ts";

/** Who is signed in, for programs. */
export function statusJson(status: Status): Record<string, unknown> {
  const {
    loggedIn,
    authMode,
    account,
    accessToken,
    lastRefresh,
    apiKey,
    store,
    path,
    issuer,
    overriddenBy,
  } = status;
  return {
    schemaVersion: 1,
    loggedIn,
    authMode,
    account: account && accountJson(account),
    accessToken,
    lastRefresh,
    apiKey,
    store,
    path,
    issuer,
    overriddenBy,
  };
}

/** Who is signed in, for people: one sentence a line. */
export function describeStatus(status: Status): string[] {
  const override = status.overriddenBy
    ? [`${status.overriddenBy} is set: programs use it instead of what is stored.`]
    : [];
  if (!status.loggedIn) return [...override, ...describeNobody(status)];
  if (override.length > 0) return override;
  const place = `Stored in ${describePlace(status)}.`;
  switch (status.authMode) {
    case "apikey":
      return [
        `Signed in with the API key ${status.apiKey}.`,
        "The key is checked when it is used.",
        place,
      ];
    case "personalAccessToken":
      return [`Signed in with the personal access token ${status.personalAccessToken}.`, place];
    case "chatgpt":
      return [
        `Signed in with ChatGPT as ${describeWhom(status)}.`,
        describeExpiry(status),
        `Issuer: ${printable(status.issuer ?? "")}`,
        place,
      ];
    case "chatgptAuthTokens":
      return [
        `Signed in with ${describeMode(status.authMode)}, as ${describeWhom(status)}.`,
        describeExpiry(status),
        place,
      ];
    default:
      return [
        `Signed in with ${status.authMode ? describeMode(status.authMode) : "nothing"}.`,
        place,
      ];
  }
}

function describeWhom({ account }: Status): string {
  return account ? describeAccount(account) : "somebody";
}

function describeExpiry({ accessToken, authMode }: Status): string {
  if (!accessToken?.expiresAt) return "The access token does not say when it expires.";
  return accessToken.expired
    ? `The access token expired at ${accessToken.expiresAt} and is renewed ${
      authMode === "chatgpt" ? "at its next use" : "by the program that gave it"
    }.`
    : `The access token is valid until ${accessToken.expiresAt}.`;
}

function describeNobody({ forbiddenBy, overriddenBy }: Status): string[] {
  if (overriddenBy && !forbiddenBy) {
    return ["It is neither a personal access token nor a valid JWT."];
  }
  if (!forbiddenBy) return ["Nobody is signed in. To sign in: codex-login"];
  return [
    `Nobody is signed in: this login does not fit the setting ${forbiddenBy}.`,
    "To sign in anew: codex-login",
  ];
}
