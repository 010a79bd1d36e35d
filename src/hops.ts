import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { systemCode } from "./errors.ts";
import type { Fetch } from "./world.ts";

/** Where a connection is to lead. */
export interface HopTarget {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** One way to get there: directly, or through a proxy. */
export interface Route {
  /** A TCP connection whose bytes reach the target; rejects with the system's own code, or a LoginError. */
  connect(target: HopTarget, signal: AbortSignal): Promise<Socket>;
  /** The transport over the same way. */
  readonly fetch: Fetch;
  /** PEM certificates that replace the built-in ones. */
  readonly ca?: string | readonly string[] | undefined;
}

export function directRoute(fetch: Fetch): Route {
  return { connect: connectDirectly, fetch };
}

/** @throws what the system says, with its code. */
export async function resolveName(host: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function connectDirectly({ host, port }: HopTarget, signal: AbortSignal): Promise<Socket> {
  const { connect } = await import("node:net");
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port, autoSelectFamily: true });
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => resolve(socket));
    socket.once("close", () => signal.removeEventListener("abort", abort));
    socket.on("error", (thrown) => reject(firstOf(thrown)));
  });
}

/** Several addresses fail together, with a list of why. */
function firstOf(thrown: unknown): unknown {
  const { errors } = thrown as { errors?: readonly unknown[] };
  return systemCode(thrown) === undefined && errors?.[0] ? errors[0] : thrown;
}

/** What the other end has shown of itself. All texts are its own. */
export interface TlsReport {
  /** Why its certificate is not accepted, as a code of the TLS library; undefined when it is. */
  readonly refusal: string | undefined;
  readonly protocol: string;
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since the epoch; undefined when it is not readable. */
  readonly validFrom: number | undefined;
  readonly validUntil: number | undefined;
}

/**
 * Makes a TLS connection only to look at the certificate: nothing is sent over it, so one that is not accepted may be looked
 * at too.
 *
 * @throws what the system or the TLS library says, with its code.
 */
export async function inspectTls(
  socket: Socket,
  host: string,
  ca: Route["ca"],
  signal: AbortSignal,
): Promise<TlsReport> {
  const [{ connect }, { isIP }] = await Promise.all([import("node:tls"), import("node:net")]);
  return await new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      ...(isIP(host) ? { host } : { servername: host, host }),
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
    });
    const end = (): void => {
      signal.removeEventListener("abort", end);
      secure.destroy();
      socket.destroy();
    };
    signal.addEventListener("abort", end);
    secure.once("secureConnect", () => {
      resolve(describe(secure));
      end();
    });
    secure.on("error", (thrown) => {
      reject(thrown);
      end();
    });
    secure.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  });
}

function describe(socket: TLSSocket): TlsReport {
  const certificate = socket.getPeerCertificate();
  const refusal: unknown = socket.authorizationError;
  const code = systemCode(refusal) ?? (typeof refusal === "string" ? refusal : "unknown");
  return {
    refusal: socket.authorized ? undefined : code,
    protocol: socket.getProtocol() ?? "TLS",
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFrom: timeOf(certificate.valid_from),
    validUntil: timeOf(certificate.valid_to),
  };
}

function nameOf(name: PeerCertificate["subject"] | undefined): string {
  const { O, CN } = (name ?? {}) as Partial<PeerCertificate["subject"]>;
  return [O, CN].flat().filter((part) => part).join(", ") || "nobody that it names";
}

function timeOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
