import { systemCode } from "./errors.ts";
import { HARDENED_HEADERS } from "./hardened_headers.ts";
import type { HttpServer, RequestHandler, Runtime } from "./runtime/runtime.ts";

/** The two ports that the issuer has registered for this client. */
export const REGISTERED_PORTS: readonly [number, number] = [1455, 1457];

export type RedirectHost = "127.0.0.1" | "localhost";

/** Who listens on a port, on both loopback addresses, or the system's code for what stands in the way. */
type Binding =
  | { readonly port: number; readonly servers: readonly HttpServer[] }
  | { readonly blocked: string };

interface BindingOptions {
  /** A browser may take `localhost` for either family, so then both have to be ours. */
  readonly redirectHost: RedirectHost;
  readonly handler: RequestHandler;
}

export async function bind(
  runtime: Runtime,
  port: number,
  { handler, redirectHost }: BindingOptions,
): Promise<Binding> {
  try {
    const v4 = await runtime.serve({ hostname: "127.0.0.1", port, handler });
    const servers = [v4];
    try {
      servers.push(await runtime.serve({ hostname: "::1", port: v4.port, handler }));
    } catch (thrown) {
      if (redirectHost === "localhost" && !hasNoIpv6(thrown)) {
        await v4.stop({ force: true });
        throw thrown;
      }
    }
    return { port: v4.port, servers };
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === undefined) throw thrown;
    return { blocked: code };
  }
}

/** A machine without IPv6 cannot send a browser to `::1` either. */
function hasNoIpv6(thrown: unknown): boolean {
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(systemCode(thrown) ?? "");
}

/** A port that is taken while all that answers on it is still being loaded: until then everybody is told to come again. */
export interface EarlyBinding {
  readonly binding: Promise<Binding>;
  answerWith(handler: RequestHandler): void;
  /** Gives the port back; resolves when it is free. A client that is slow to go delays that. */
  release(): Promise<void>;
}

export function bindEarly(
  runtime: Runtime,
  port: number,
  redirectHost: RedirectHost,
): EarlyBinding {
  let handler: RequestHandler = () =>
    new Response(null, { status: 503, headers: HARDENED_HEADERS });
  const binding = bind(runtime, port, {
    redirectHost,
    handler: (request, peer) => handler(request, peer),
  });
  // Whoever goes on with it is told.
  binding.catch(() => {});
  return {
    binding,
    answerWith: (own) => void (handler = own),
    async release(): Promise<void> {
      const bound = await binding.catch(() => undefined);
      if (bound && "servers" in bound) await Promise.all(bound.servers.map((one) => one.stop()));
    },
  };
}
