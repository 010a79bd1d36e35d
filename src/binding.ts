import { systemCode } from "./errors.ts";
import { HARDENED_HEADERS } from "./hardened_headers.ts";
import type { HttpServer, RequestHandler, Runtime } from "./runtime/runtime.ts";

export type RedirectHost = "127.0.0.1" | "localhost";

/** Who listens on a port, on both loopback addresses, or the system's code for what stands in the way. */
export type Binding =
  | { readonly port: number; readonly servers: readonly HttpServer[] }
  | { readonly blocked: string };

export interface BindingOptions {
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
  /** For a login that ends before it has begun to listen. Nobody waits for it: a client may be slow to go. */
  release(): void;
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
    release(): void {
      binding.then((bound) => {
        if ("servers" in bound) { for (const one of bound.servers) one.stop().catch(() => {}); }
      }, () => {});
    },
  };
}
