import type { Config } from "./config.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { createMemoryStore } from "./host_store.ts";
import { createLineOutput } from "./line_output.ts";
import { takeEarlierMethod } from "./mcp_earlier_methods.ts";
import { createMcpLogins } from "./mcp_logins.ts";
import { registerTools } from "./mcp_tools.ts";
import { missingFile } from "./missing_file.ts";
import { createMcpTransport } from "./mcp_transport.ts";
import { waitForReader } from "./slow_reader.ts";
import { VERSION } from "./version.ts";
import { within } from "./waiting.ts";
import type { World } from "./world.ts";

/** Characters for a slow reader; with more of them nothing is read until it has caught up. */
const MAX_UNREAD = 1 << 20;
/** Milliseconds for answers that are due when the client has no more to ask: a logout may be asking the issuer. */
const ANSWERS_MS = 30_000;
/** Milliseconds for the client to take the last of them. */
const LAST_LINES_MS = 2_000;

const INSTRUCTIONS =
  "Signs a person in to ChatGPT/Codex on this machine, for every program that shares the login. " +
  "Begin with login_status. To sign in call login, or login_device where there is no browser; " +
  "only the person can finish it.";

/**
 * Serves the Model Context Protocol on stdio until the client closes stdin. A sign-in that waits then is ended, and its port
 * is free.
 *
 * @param say told what a person should know, cleaned.
 * @throws {LoginError} OUTPUT_FAILED, or what the process was told to end with.
 */
export async function serveMcp(
  world: World,
  config: Config,
  say: (note: string) => void,
): Promise<void> {
  const sdk = await loadSdk();
  const ending = new AbortController();
  const signal = AbortSignal.any([world.signal, ending.signal]);
  const own = config.store === "ephemeral" ? { ...config, store: createMemoryStore() } : config;
  const logins = createMcpLogins({ ...world, signal }, own, say);
  const output = createLineOutput(world.sendData, (thrown) => ending.abort(toLoginError(thrown)));
  const transport = createMcpTransport(
    output,
    sdk.parseJSONRPCMessage,
    (request) => takeEarlierMethod(logins, transport, request),
  );
  const server = sdk.serveStdio(({ era }) => {
    const mcp = new sdk.McpServer(
      { name: "codex-login", title: "codex-login", version: VERSION },
      { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
    );
    registerTools(mcp, era, { sdk, world, config: own, logins, say });
    return mcp;
  }, { transport });

  const catchUp = (): Promise<void> =>
    waitForReader({ ...world, signal }, output, MAX_UNREAD).catch((thrown) => ending.abort(thrown));
  await world.followStdin((bytes) => {
    transport.receive(bytes);
    return output.pendingLength() > MAX_UNREAD ? catchUp() : undefined;
  }, signal);
  const reason = signal.aborted ? toLoginError(signal.reason) : undefined;
  if (!reason) {
    transport.receive();
    ending.abort(new LoginError("CANCELED", "The client ended the sign-in"));
  }
  await within(world, ANSWERS_MS, transport.answered(), world.signal);
  await logins.idle();
  await within(world, LAST_LINES_MS, output.drained(), world.signal);
  await server.close();
  if (reason) throw reason;
}

/** The file of the SDK inside what was built; the build puts it here, and nothing is there in the sources. */
declare const MCP_SDK: string | undefined;

async function loadSdk(): Promise<typeof import("./mcp_sdk.ts")> {
  if (typeof MCP_SDK === "undefined") return await import("./mcp_sdk.ts");
  const { default: path } = await import(MCP_SDK, { with: { type: "file" } });
  return await import(path).catch((thrown) => {
    throw thrown.code === "ERR_MODULE_NOT_FOUND" ? missingFile("mcp_sdk.js") : thrown;
  });
}
