import type { McpServer, ProtocolEra, ServerContext } from "@modelcontextprotocol/server";
import * as v from "valibot";
import type { HostIdentity } from "./config.ts";

/** What the program at the other end says of itself. */
export interface McpClient {
  readonly era: ProtocolEra;
  /** Undefined when its name could not go into an address or a header. */
  readonly host: HostIdentity | undefined;
  /** It shows an address to the person, and asks whether it may. */
  readonly elicitsUrls: boolean;
}

const Info = v.object({
  name: v.pipe(v.string(), v.regex(/^(?=.*[!-~])[ -~]{1,200}$/)),
  version: v.string(),
});

const Capabilities = v.object({ elicitation: v.object({ url: v.object({}) }) });

const Envelope = v.object({
  "io.modelcontextprotocol/clientInfo": v.optional(v.unknown()),
  "io.modelcontextprotocol/clientCapabilities": v.optional(v.unknown()),
});

/** Clients of 2025 say it once for all, those since then with each request. */
export function readClient(
  { server }: McpServer,
  era: ProtocolEra,
  { mcpReq: { envelope } }: ServerContext,
): McpClient {
  const [info, capabilities] = era === "modern"
    ? readEnvelope(envelope)
    : [server.getClientVersion(), server.getClientCapabilities()];
  const host = v.safeParse(Info, info);
  return {
    era,
    host: host.success ? host.output : undefined,
    elicitsUrls: v.is(Capabilities, capabilities),
  };
}

function readEnvelope(envelope: unknown): [info: unknown, capabilities: unknown] {
  const parsed = v.safeParse(Envelope, envelope);
  if (!parsed.success) return [undefined, undefined];
  return [
    parsed.output["io.modelcontextprotocol/clientInfo"],
    parsed.output["io.modelcontextprotocol/clientCapabilities"],
  ];
}
