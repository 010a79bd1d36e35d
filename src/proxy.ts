import { BlockList, isIP } from "node:net";
import { LoginError } from "./errors.ts";
import { type HopTarget, targetOf } from "./dial.ts";
import { printable } from "./printable.ts";

/** An HTTP proxy that tunnels by CONNECT. */
export interface Proxy extends HopTarget {
  /** The variable that names it. */
  readonly variable: string;
  /** For the header `Proxy-Authorization`: a secret. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const NAMES = ["HTTPS_PROXY", "ALL_PROXY"];

/**
 * The proxy for this address, by the variables of the environment in either case, the lower one first. Never one for a
 * loopback address.
 *
 * @throws {LoginError} PROXY_INVALID or PROXY_UNSUPPORTED, which never show a password.
 */
export function chooseProxy(env: Environment, url: URL): Proxy | undefined {
  const target = targetOf(url);
  if (url.protocol !== "https:" || isLoopback(target.host)) return undefined;
  const found = NAMES.flatMap((name) => [name.toLowerCase(), name]).find((name) => env[name]);
  if (found === undefined) return undefined;
  if (isExcepted(env["no_proxy"] || env["NO_PROXY"] || "", target)) return undefined;
  return readProxy(found, env[found]?.trim() ?? "");
}

function readProxy(variable: string, value: string): Proxy {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase() ?? "http";
  if (scheme !== "http") {
    throw new LoginError("PROXY_UNSUPPORTED", `The proxy in ${variable} cannot be used`, {
      reason: `proxies of the kind ${printable(scheme, 20)}:// are not supported, only http://`,
      hint: `export ${variable}=http://HOST:PORT, or unset it`,
      requestSent: false,
    });
  }
  const url = URL.parse(value.includes("://") ? value : `http://${value}`);
  const isPlain = url !== null && url.hostname !== "" && /^\/?$/.test(url.pathname) &&
    !url.search && !url.hash && !/[\s\p{C}]/u.test(value);
  if (!isPlain) throw invalid(variable, "it is not of the form http://[USER:PASSWORD@]HOST:PORT");
  const { username, password } = url;
  let authorization: string | undefined;
  if (username || password) {
    try {
      const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      authorization = `Basic ${Buffer.from(plain).toString("base64")}`;
    } catch {
      throw invalid(variable, "a % in its user name or password is not followed by two digits");
    }
  }
  return { variable, authorization, ...targetOf(url) };
}

function invalid(variable: string, reason: string): LoginError {
  return new LoginError("PROXY_INVALID", `The proxy in ${variable} cannot be used`, {
    reason,
    hint: `export ${variable}=http://HOST:PORT, or unset it`,
    requestSent: false,
  });
}

export function isLoopback(host: string): boolean {
  return host === "::1" || /^127(\.\d+){3}$/.test(host) || /(^|\.)localhost\.?$/i.test(host);
}

/** `*`, names with all below them, addresses, networks, each with a port if one is given. */
function isExcepted(list: string, { host, port }: HopTarget): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [, name = "", only] =
      /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ??
        [];
    if (name === "" || (only !== undefined && Number(only) !== port)) return false;
    const bare = name.replace(/^\[|\]$/g, "").replace(/^\*?\./, "").toLowerCase();
    if (isIP(host)) return isInNetwork(host, bare);
    const asked = host.toLowerCase().replace(/\.$/, "");
    return bare !== "" && (asked === bare || asked.endsWith(`.${bare}`));
  });
}

function isInNetwork(host: string, entry: string): boolean {
  const [zoned = "", bits] = entry.split("/");
  // A zone (fe80::1%eth0) names an interface of this machine; the address is what counts.
  const network = zoned.replace(/%.*$/, "");
  const kind = isIP(network);
  if (kind === 0 || kind !== isIP(host)) return false;
  const family = kind === 6 ? "ipv6" : "ipv4";
  const longest = kind === 6 ? 128 : 32;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return false;
  const prefix = bits === undefined ? longest : Number(bits);
  if (prefix > longest) return false;
  const networks = new BlockList();
  networks.addSubnet(network, prefix, family);
  return networks.check(host, family);
}
