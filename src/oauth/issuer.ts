import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";

/** Who we sign in with. */
export interface Issuer {
  /** As it was given: this is what auth.json keeps. */
  readonly given: string;
  /** Without the trailing slash: endpoints are appended to this. */
  readonly base: string;
  /** An `http` issuer, which can only be a loopback one: for development. */
  readonly isLoopbackHttp: boolean;
}

export const DEFAULT_ISSUER = "https://auth.openai.com";

export const USUAL_ISSUER: Issuer = {
  given: DEFAULT_ISSUER,
  base: DEFAULT_ISSUER,
  isLoopbackHttp: false,
};

/**
 * A public client: the id is no secret and proves nothing.
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-8.4
 */
export const DEFAULT_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Reads an issuer: an absolute `https` URL, or `http` on a loopback name, with nothing but a path behind it.
 *
 * @throws {LoginError} ISSUER_INVALID
 */
export function parseIssuer(given: string): Issuer {
  const url = parseSecureUrl(given, "issuer");
  if (url.search || given.includes("?")) throw invalid("issuer", given, "it has a query");
  return {
    given,
    base: `${url.origin}${url.pathname.replace(/\/$/, "")}`,
    isLoopbackHttp: url.protocol === "http:",
  };
}

/**
 * The rule for every address we send secrets to. The host is judged as the URL parser sees it, so that neither
 * `localhost.evil.test` nor `localhost@evil.test` passes.
 *
 * @throws {LoginError} ISSUER_INVALID
 */
export function parseSecureUrl(given: string, what: string): URL {
  // The parser drops tabs and newlines and trims; an address with any of them is somebody's trick.
  if (/[\s\p{C}]/u.test(given)) throw invalid(what, given, "it has a space or a control character");
  // It also turns "\" into "/" and mends missing slashes.
  if (!/^https?:\/\/[^/\\]/i.test(given)) {
    throw invalid(what, given, "it is not an absolute http(s) address");
  }
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw invalid(what, given, "it is not an address");
  }
  const isLoopback = url.protocol === "http:" && LOOPBACK_HOSTS.has(url.hostname);
  if (url.protocol !== "https:" && !isLoopback) throw invalid(what, given, "it is not https");
  if (url.username || url.password || /^[^/]*\/\/[^/?#]*@/.test(given)) {
    throw new LoginError("ISSUER_INVALID", `The ${what} holds a user name or password`);
  }
  if (url.hash || given.includes("#")) throw invalid(what, given, "it has a fragment");
  return url;
}

/** The same issuer, but for one trailing slash, which issuers themselves are not sure about. */
export function isSameIssuer(a: string, b: string): boolean {
  return a.replace(/\/$/, "") === b.replace(/\/$/, "");
}

export function isDefaultIssuer(issuer: Issuer): boolean {
  return issuer.base === DEFAULT_ISSUER;
}

function invalid(what: string, given: string, why: string): LoginError {
  // What stands before an @ can be a password, whatever else is wrong with the address.
  const shown = printable(given.replace(/^.*@/s, "…@").replace(/[?#].*$/s, ""), 100);
  return new LoginError("ISSUER_INVALID", `The ${what} "${shown}" cannot be used: ${why}`);
}
