import { type ErrorKind, kind } from "./error_kind.ts";

/** Who signs in, renews or prints a token: each does the same once more. */
const RETRY = "check the connection, then run the command again";
const CLOCK = "set this computer's clock right, if it is wrong; else only the issuer can help";

export type NetworkCode =
  | "DNS"
  | "CONNECT_REFUSED"
  | "CONNECT_TIMEOUT"
  | "CONNECTION_RESET"
  | "DNS_TIMEOUT"
  | "TLS"
  | "TLS_UNTRUSTED"
  | "TLS_EXPIRED"
  | "TLS_NOT_YET_VALID"
  | "TLS_WRONG_NAME"
  | "CA_FILE"
  | "PROXY_INVALID"
  | "PROXY_UNSUPPORTED"
  | "PROXY_UNREACHABLE"
  | "PROXY_AUTH"
  | "PROXY_REFUSED"
  | "CAPTIVE_PORTAL"
  | "CHALLENGE"
  | "RATE_LIMITED"
  | "ISSUER_FAULT"
  | "NETWORK"
  | "RESPONSE_TIMEOUT"
  | "RESPONSE_TOO_LARGE";

/** What can go wrong between this computer and the issuer's answer. */
export const NETWORK_KINDS: Readonly<Record<NetworkCode, ErrorKind>> = {
  DNS: kind(5, 502, "The issuer cannot be found", RETRY),
  CONNECT_REFUSED: kind(5, 502, "The issuer cannot be reached", RETRY),
  CONNECT_TIMEOUT: kind(5, 504, "The issuer cannot be reached", RETRY),
  CONNECTION_RESET: kind(5, 502, "The connection broke", RETRY),
  DNS_TIMEOUT: kind(5, 504, "The issuer cannot be found", RETRY),
  TLS: kind(
    5,
    502,
    "The connection is not secure",
    "find out what stands between here and the issuer: codex-login doctor",
  ),
  TLS_UNTRUSTED: kind(
    5,
    502,
    "The connection is not secure",
    "if a company inspects TLS, name its CA: export CODEX_CA_CERTIFICATE=FILE",
  ),
  TLS_EXPIRED: kind(5, 502, "The connection is not secure", CLOCK),
  TLS_NOT_YET_VALID: kind(5, 502, "The connection is not secure", CLOCK),
  TLS_WRONG_NAME: kind(
    5,
    502,
    "The connection is not secure",
    "sign in to the network with a browser first, if it asks for that; or check --issuer",
  ),
  CA_FILE: kind(2, 500, "Certificates not usable", "correct the variable, or unset it"),
  PROXY_INVALID: kind(2, 500, "Proxy not usable", "correct the variable, or unset it"),
  PROXY_UNSUPPORTED: kind(2, 500, "Proxy not usable", "name an http:// proxy in HTTPS_PROXY"),
  PROXY_UNREACHABLE: kind(5, 502, "The proxy cannot be reached", "check HTTPS_PROXY"),
  PROXY_AUTH: kind(
    5,
    502,
    "The proxy asks for a password",
    "export HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
  ),
  PROXY_REFUSED: kind(
    5,
    502,
    "The proxy refused",
    "ask who runs the proxy to allow the issuer's address",
  ),
  CAPTIVE_PORTAL: kind(
    5,
    502,
    "A web page answered for the issuer",
    "sign in to the network with a browser first, if it asks for that; then run the command again",
  ),
  CHALLENGE: kind(
    1,
    502,
    "The issuer took this for a robot",
    "try from another network, or without a VPN",
  ),
  RATE_LIMITED: kind(1, 502, "Too many requests", "wait a while, then run codex-login again"),
  ISSUER_FAULT: kind(1, 502, "The issuer has a fault", "run codex-login again in a while"),
  NETWORK: kind(5, 502, "The issuer cannot be reached", RETRY),
  RESPONSE_TIMEOUT: kind(5, 504, "The issuer did not answer in time", RETRY),
  RESPONSE_TOO_LARGE: kind(1, 502, "The issuer's answer is not usable", "codex-login"),
};
