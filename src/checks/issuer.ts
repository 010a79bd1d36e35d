import { isIP } from "node:net";
import { describeClockOffset } from "../clock_offset.ts";
import { LoginError } from "../errors.ts";
import { resolveName, targetOf } from "../dial.ts";
import { inspectTls, type Route, type TlsReport } from "../hops.ts";
import { networkError } from "../network_error.ts";
import { formatRfc3339 } from "../rfc3339.ts";
import type { World } from "../world.ts";
import { type Check, fail, failWith, type Finding, ok, skip, warn } from "./check.ts";

const DNS_MS = 4_000;
const CONNECT_MS = 3_000;
const HTTP_MS = 4_000;
/** A login's own check of times has as much patience. In seconds. */
const CLOCK_TOLERANCE_S = 300;

/**
 * The way to the issuer hop by hop, each only when the one before went well. Nothing but a GET without any credentials is sent.
 *
 * @param at.prefix of the ids.
 * @param at.base of the issuer's addresses.
 */
export function issuerChecks(
  world: Pick<World, "now" | "elapsed">,
  { prefix, base, userAgent }: { prefix: string; base: string; userAgent: string },
  route: Route,
): Check[] {
  const url = new URL(base);
  const isTls = url.protocol === "https:";
  const target = targetOf(url);
  const { host } = target;
  const where = `${host}:${target.port}`;
  let date: number | undefined;

  async function resolve(): Promise<Finding> {
    const { host: first } = route.proxy ?? target;
    const whose = route.proxy ? `the proxy of ${route.proxy.variable}, ${first},` : first;
    if (isIP(first)) return ok(`${whose} is an address itself`);
    return ok(`${whose} is ${(await resolveName(first)).slice(0, 4).join(", ")}`);
  }

  async function connect(signal: AbortSignal): Promise<Finding> {
    const socket = await route.connect(target, signal);
    const { remoteAddress } = socket;
    socket.destroy();
    if (route.proxy) return ok(`a tunnel to ${where} by ${route.proxy.host}:${route.proxy.port}`);
    return ok(
      `connected to ${where}${
        remoteAddress && remoteAddress !== host ? ` at ${remoteAddress}` : ""
      }`,
    );
  }

  async function handshake(signal: AbortSignal): Promise<Finding> {
    const socket = await route.connect(target, signal);
    return judgeTls(await inspectTls(socket, host, route.ca, signal), host, world.now());
  }

  async function ask(signal: AbortSignal): Promise<Finding> {
    const started = world.elapsed();
    const address = `${base}/.well-known/openid-configuration`;
    // As a sign-in calls itself: some issuers judge programs by that.
    const headers = { "user-agent": userAgent, accept: "*/*" };
    const init = { method: "GET", headers, signal, limitMs: HTTP_MS } as const;
    const response = await route.fetch(address, init);
    date = Date.parse(response.headers.get("date") ?? "");
    return judgeAnswer(response, Math.round(world.elapsed() - started));
  }

  const hop = (
    name: string,
    limitMs: number,
    needs: string | undefined,
    run: Check["run"],
  ): Check => ({
    id: `${prefix}.${name}`,
    limitMs,
    ...(needs === undefined ? {} : { needs: `${prefix}.${needs}` }),
    run: async (signal) => {
      try {
        return await run(signal);
      } catch (thrown) {
        return failHop(thrown, name, url);
      }
    },
  });
  return [
    hop("dns", DNS_MS, undefined, resolve),
    hop("tcp", CONNECT_MS, "dns", connect),
    hop(
      "tls",
      CONNECT_MS,
      "tcp",
      isTls ? handshake : () => skip("the issuer speaks http, on this computer"),
    ),
    hop("http", HTTP_MS, isTls ? "tls" : "tcp", ask),
    hop("clock", CONNECT_MS, "http", () => judgeClock(date, world.now())),
  ];
}

function failHop(thrown: unknown, hop: string, url: URL): Finding {
  const stage = hop === "dns" || hop === "tcp" ? hop : "tls";
  const error = thrown instanceof LoginError ? thrown : networkError(thrown, url, stage);
  const found = failWith(error, EXPECTED[hop] ?? "an answer");
  if (error.code.startsWith("PROXY_")) return found;
  return { ...found, measured: `${url.host}: ${error.reason ?? error.message}` };
}

const EXPECTED: Readonly<Record<string, string>> = {
  dns: "an address for the name",
  tcp: "a connection",
  tls: "a certificate that is accepted",
  http: "an answer of the issuer",
};

function judgeTls(report: TlsReport, host: string, now: number): Finding {
  const { refusal, protocol, subject, issuer, validFrom, validUntil } = report;
  const time = (ms: number | undefined): string => ms === undefined ? "?" : formatRfc3339(ms);
  if (refusal === undefined) {
    return ok(`${protocol}, certificate by ${issuer}, valid until ${time(validUntil)}`);
  }
  const measured = `the certificate for ${subject}, by ${issuer}, valid from ${
    time(validFrom)
  } until ${time(validUntil)}, is not accepted (${refusal})`;
  if (refusal === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return fail(
      measured,
      `a certificate for ${host}`,
      "find out who answers for this name: a captive portal, or a wrong --issuer",
    );
  }
  const isEarly = validFrom !== undefined && now < validFrom;
  const isLate = validUntil !== undefined && now > validUntil;
  if (isEarly || isLate) {
    const clock = `this computer's clock says ${formatRfc3339(now)}`;
    return fail(
      `${measured}; ${clock}`,
      "a certificate that is valid now",
      "set the clock right, if it is wrong; else only the issuer can help",
    );
  }
  return fail(
    measured,
    "a certificate by a CA that is trusted here",
    "if a company inspects TLS, name its CA: export NODE_EXTRA_CA_CERTS=FILE",
  );
}

function judgeAnswer({ status, headers }: Response, ms: number): Finding {
  const told = `status ${status} in ${ms} ms`;
  const type = headers.get("content-type") ?? "";
  const portal = "sign in to the network with a browser first, if it asks for that";
  if (status >= 500) {
    return fail(told, "a status below 500", "try again in a while; the issuer has a fault");
  }
  if (status === 407) {
    return fail(
      told,
      "an answer of the issuer",
      "give the proxy's user name and password in HTTPS_PROXY",
    );
  }
  if (status === 429) {
    return warn(told, "an answer without a limit", "wait a while before the next sign-in");
  }
  if (status === 403) {
    const who = headers.get("cf-mitigated") === "challenge" ? ": a challenge for browsers" : "";
    return warn(
      `${told}${who}`,
      "an answer for programs",
      "try from another network, or without a VPN",
    );
  }
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get("location") ?? "")?.host ?? "another address";
    return warn(`${told}, which leads to ${to}`, "an answer of the issuer itself", portal);
  }
  if (status < 300 && /html/i.test(type)) return warn(`${told}, a page (${type})`, "JSON", portal);
  return ok(told);
}

function judgeClock(date: number | undefined, now: number): Finding {
  if (date === undefined || Number.isNaN(date)) {
    return skip("the issuer did not say what time it is");
  }
  const seconds = Math.round((now - date) / 1_000);
  if (Math.abs(seconds) <= CLOCK_TOLERANCE_S) return ok(`${Math.abs(seconds)} s off the issuer's`);
  return warn(
    describeClockOffset(seconds),
    `at most ${CLOCK_TOLERANCE_S / 60} min`,
    "set the clock right, at best by the network (timedatectl set-ntp true)",
  );
}
