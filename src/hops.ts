import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { dial, type HopTarget, resolveName } from "./dial.ts";
import { systemCode } from "./errors.ts";
import type { Fetch } from "./world.ts";

/** One way to get there: directly, or through a proxy. */
export interface Route {
  /** A TCP connection whose bytes reach the target; rejects with the system's own code, or a LoginError. */
  connect(target: HopTarget, signal: AbortSignal): Promise<Socket>;
  /** The transport over the same way. */
  readonly fetch: Fetch;
  /** PEM certificates that replace the built-in ones. */
  readonly ca?: string | readonly string[] | undefined;
  /** What stands between. */
  readonly proxy?: (HopTarget & { readonly variable: string }) | undefined;
}

export function directRoute(fetch: Fetch): Route {
  return { connect: connectDirectly, fetch };
}

async function connectDirectly({ host, port }: HopTarget, signal: AbortSignal): Promise<Socket> {
  const { isIP } = await import("node:net");
  return await dial(isIP(host) ? [host] : await resolveName(host), port, signal);
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
  /** What time it says it is, where it was asked; ms since the epoch. */
  readonly date: number | undefined;
}

/**
 * Makes a TLS connection only to look at the certificate: nothing of ours is sent over it, so one that is not accepted may be
 * looked at too.
 *
 * @param options.asksDate whether to ask for the other end's clock as well, by a HEAD that says nothing.
 * @throws what the system or the TLS library says, with its code.
 */
export async function inspectTls(
  socket: Socket,
  host: string,
  ca: Route["ca"],
  signal: AbortSignal,
  { asksDate }: { asksDate: (seen: Dates) => boolean } = { asksDate: () => false },
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
    signal.addEventListener("abort", end, { once: true });
    secure.once("secureConnect", () => {
      const report = describe(secure);
      const finish = (date: number | undefined): void => {
        resolve({ ...report, date });
        end();
      };
      if (!asksDate(report)) return finish(undefined);
      let head = "";
      secure.on("data", (bytes: Uint8Array) => {
        head += Buffer.from(bytes).toString("latin1");
        if (head.includes("\r\n\r\n") || head.length > MAX_HEAD_BYTES) finish(readDate(head));
      });
      secure.once("end", () => finish(undefined));
      signal.addEventListener("abort", () => finish(undefined), { once: true });
      secure.write(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    secure.on("error", (thrown) => {
      reject(thrown);
      end();
    });
    secure.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  });
}

/** How long a certificate is valid. */
export type Dates = Pick<TlsReport, "validFrom" | "validUntil">;

const MAX_HEAD_BYTES = 16 << 10;

function readDate(head: string): number | undefined {
  return timeOf(/^date:\s*([^\r\n]{1,60})/im.exec(head)?.[1]);
}

function describe(socket: TLSSocket): Omit<TlsReport, "date"> {
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
