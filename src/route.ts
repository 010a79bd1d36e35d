import { reachByProxy } from "./connection.ts";
import { directRoute, type Route } from "./hops.ts";
import { chooseProxy } from "./proxy.ts";
import { loadSystemTrust, loadTrust } from "./trust.ts";
import type { World } from "./world.ts";

/**
 * The way that a sign-in goes to this address: the proxy and the certificates that the environment names.
 *
 * @throws {LoginError} PROXY_INVALID or PROXY_UNSUPPORTED
 */
export async function chooseRoute(
  { fetch, env }: Pick<World, "fetch" | "env">,
  address: string,
): Promise<Route> {
  const url = new URL(address);
  const proxy = chooseProxy(env, url);
  const ca = url.protocol === "https:" ? await allTrusted(env) : undefined;
  const direct = { ...directRoute(fetch), ca };
  if (proxy === undefined) return direct;
  return { ...direct, proxy, connect: (_, signal) => reachByProxy(url, proxy, signal, () => {}) };
}

/** A file that cannot be used has a check of its own. */
async function allTrusted(env: World["env"]): Promise<string[]> {
  const { rootCertificates } = await import("node:tls");
  const named = await loadTrust(env).catch(() => undefined);
  return [...named ?? rootCertificates, ...await loadSystemTrust()];
}
