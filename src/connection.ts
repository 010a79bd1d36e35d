import { isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "./connection_options.ts";
import { dial, resolveName, targetOf } from "./dial.ts";
import { LoginError, systemCode, toLoginError } from "./errors.ts";
import { type Dates, inspectTls } from "./hops.ts";
import { networkError, type Stage } from "./network_error.ts";
import { chooseProxy, type Proxy } from "./proxy.ts";
import {
  certificateError,
  isCertificateCode,
  isOutOfDate,
  isUntrustedCode,
} from "./certificate_error.ts";
import { secureContextFor } from "./tls_context.ts";
import { loadSystemTrust, loadTrust, namedFiles, readCertificates } from "./trust.ts";
import { openTunnel } from "./tunnel.ts";

/** Milliseconds for a second look at a certificate that was refused. */
const LOOK_MS = 3_000;

/**
 * A connection over which a request can be sent: TCP, a proxy's tunnel where one is set, and TLS with a certificate that was
 * accepted.
 *
 * @param enter told what is begun, so that a limit that runs out can be explained.
 * @throws {LoginError} with `requestSent` false.
 */
export async function openConnection(
  url: URL,
  { env = {}, ca }: ConnectionOptions,
  signal: AbortSignal,
  enter: (stage: Stage) => void,
): Promise<Socket> {
  const proxy = chooseProxy(env, url);
  const reach = (onStage: (stage: Stage) => void, until: AbortSignal): Promise<Socket> =>
    proxy ? reachByProxy(url, proxy, until, onStage) : reachDirectly(url, until, onStage);
  if (url.protocol === "http:") return await reach(enter, signal);
  const trust = ca === undefined ? await loadTrust(env) : [ca];
  try {
    return await secure(await reach(enter, signal), url, trust, signal, enter);
  } catch (thrown) {
    if (thrown instanceof LoginError) throw thrown;
    let code = systemCode(thrown);
    if (ca === undefined && isUntrustedCode(code)) {
      const system = await loadSystemTrust();
      if (system.length > 0) {
        try {
          const all = [...trust, ...system];
          return await secure(await reach(enter, signal), url, all, signal, enter);
        } catch (again) {
          if (again instanceof LoginError) throw again;
          code = systemCode(again);
        }
      }
    }
    if (!isCertificateCode(code)) throw networkError(thrown, url, "tls");
    const look = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
    const { host } = targetOf(url);
    const asksDate = (seen: Dates): boolean => isOutOfDate(seen, Date.now());
    const report = await reach(() => {}, look)
      .then((socket) => inspectTls(socket, host, trust, look, { asksDate }))
      .catch(() => undefined);
    throw certificateError(code, url, report, Date.now());
  }
}

async function reachDirectly(
  url: URL,
  signal: AbortSignal,
  enter: (stage: Stage) => void,
): Promise<Socket> {
  let stage: Stage = "dns";
  try {
    const { host, port } = targetOf(url);
    enter(stage);
    const addresses = isIP(host) ? [host] : await resolveName(host);
    enter(stage = "tcp");
    return await dial(addresses, port, signal);
  } catch (thrown) {
    throw networkError(thrown, url, stage);
  }
}

/** @throws {LoginError} PROXY_UNREACHABLE, PROXY_AUTH or PROXY_REFUSED */
export async function reachByProxy(
  url: URL,
  proxy: Proxy,
  signal: AbortSignal,
  enter: (stage: Stage) => void,
): Promise<Socket> {
  enter("proxy");
  try {
    const addresses = isIP(proxy.host) ? [proxy.host] : await resolveName(proxy.host);
    const socket = await dial(addresses, proxy.port, signal);
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await openTunnel(socket, proxy, targetOf(url));
      return socket;
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  } catch (thrown) {
    if (thrown instanceof LoginError) throw thrown;
    throw new LoginError(
      "PROXY_UNREACHABLE",
      `The proxy at ${proxy.host}:${proxy.port} cannot be reached`,
      {
        reason: toLoginError(networkError(thrown, url, "proxy")).reason ?? "no connection",
        hint: `check ${proxy.variable}, and whether the proxy is up`,
        requestSent: false,
      },
    );
  }
}

/** TLS over a connection; the library itself refuses a certificate that is not good for this host. */
async function secure(
  socket: Socket,
  url: URL,
  trust: readonly string[],
  signal: AbortSignal,
  enter: (stage: Stage) => void,
): Promise<Socket> {
  enter("tls");
  const { connect } = await import("node:tls");
  const secureContext = await secureContextFor(trust);
  const { host } = targetOf(url);
  return await new Promise((resolve, reject) => {
    const outgoing = connect({
      socket,
      ...(isIP(host) ? { host } : { servername: host, host }),
      rejectUnauthorized: true,
      secureContext,
    });
    // Nobody waits for a handshake any more whose time is over.
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    outgoing.once("secureConnect", () => {
      signal.removeEventListener("abort", abort);
      resolve(outgoing);
    });
    outgoing.on("error", (thrown) => {
      reject(thrown);
      socket.destroy();
    });
    const close = (): void => {
      reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
      socket.destroy();
    };
    outgoing.once("close", close);
    socket.once("close", close);
  });
}

/**
 * Whether what the environment says of the way to this address can be used: proxy and certificates. Nobody is asked.
 *
 * @throws {LoginError} CA_FILE, PROXY_INVALID or PROXY_UNSUPPORTED
 */
export async function checkRoute(
  env: NonNullable<ConnectionOptions["env"]>,
  address: string,
): Promise<void> {
  const url = new URL(address);
  chooseProxy(env, url);
  if (url.protocol === "https:") await Promise.all(namedFiles(env).map(readCertificates));
}
