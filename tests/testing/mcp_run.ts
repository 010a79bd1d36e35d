import assert from "node:assert/strict";
import {
  Client,
  type ClientOptions,
  type ElicitRequestURLParams,
  type ElicitResult,
  type JSONRPCMessage,
  type Transport,
} from "@modelcontextprotocol/client";
import { resolveConfig } from "../../src/config.ts";
import { deferred } from "../../src/deferred.ts";
import { serveMcp } from "../../src/mcp_server.ts";
import type { World } from "../../src/world.ts";
import type { TestHome } from "./home.ts";
import { assertNoSecrets } from "./leaks.ts";
import type { TestIssuer } from "./issuer.ts";
import { createWorld, type TestWorld } from "./world.ts";

export type Message = Record<string, unknown>;

/** An MCP server in this process, and both ends of its lines. */
export interface McpRun extends AsyncDisposable {
  readonly world: TestWorld;
  /** Everything that it wrote, in order. */
  readonly messages: readonly Message[];
  /** One line, as text or as what it says. */
  send(line: string | Message): void;
  /** Resolves with the first message that fits, of those that were or will be written. */
  message(fits: (message: Message) => boolean): Promise<Message>;
  /** The answer to the request with this id. */
  answer(id: number | string): Promise<Message>;
  transport(): Transport;
  /** The end of its stdin. */
  end(): void;
  readonly ended: Promise<void>;
  /** Nothing that it wrote on either stream holds a secret. */
  assertNothingLeaked(): void;
}

export interface McpOptions {
  /** Like `-c`. */
  readonly overrides?: readonly string[];
  readonly changes?: Partial<World>;
}

export async function startMcp(
  home: TestHome,
  issuer: TestIssuer,
  { overrides = [], changes = {} }: McpOptions = {},
): Promise<McpRun> {
  const messages: Message[] = [];
  const listening = deferred<void>();
  const watchers = new Set<(message: Message) => void>();
  let toServer: (bytes: Uint8Array) => void = () => {};
  let end: () => void = () => {};
  const world = await createWorld({
    env: { XDG_RUNTIME_DIR: home.path },
    followStdin: (onBytes, signal) =>
      new Promise((resolve) => {
        toServer = (bytes) => void onBytes(bytes);
        end = resolve;
        listening.resolve();
        signal.addEventListener("abort", () => resolve());
      }),
    sendData(text): Promise<void> {
      for (const line of text.trimEnd().split("\n")) {
        const message = JSON.parse(line) as Message;
        messages.push(message);
        for (const watch of [...watchers]) watch(message);
      }
      return Promise.resolve();
    },
    ...changes,
  });
  const config = await resolveConfig(world, {
    codexHome: home.path,
    issuer: issuer.url,
    overrides,
    isServer: true,
  });
  const ended = serveMcp(world, config, world.writeWords);
  ended.catch(() => {});
  await listening.promise;

  const send = (line: string | Message): void =>
    toServer(Buffer.from(`${typeof line === "string" ? line : JSON.stringify(line)}\n`));
  const message: McpRun["message"] = (fits) =>
    new Promise((resolve) => {
      const watch = (one: Message): void => {
        if (!fits(one)) return;
        watchers.delete(watch);
        resolve(one);
      };
      watchers.add(watch);
      const found = messages.find(fits);
      if (found) watch(found);
    });
  return {
    world,
    messages,
    send,
    message,
    answer: (id) => message((one) => one["id"] === id && !("method" in one)),
    transport(): Transport {
      const transport: Transport = {
        start: () => Promise.resolve(),
        send(sent): Promise<void> {
          send(sent as Message);
          return Promise.resolve();
        },
        close(): Promise<void> {
          watchers.delete(pass);
          transport.onclose?.();
          return Promise.resolve();
        },
      };
      const pass = (one: Message): void => transport.onmessage?.(one as JSONRPCMessage);
      watchers.add(pass);
      return transport;
    },
    end: () => end(),
    ended,
    assertNothingLeaked(): void {
      assertNoSecrets([...messages.map((one) => JSON.stringify(one)), ...world.words].join("\n"), {
        secrets: issuer.secrets,
        asked: issuer.asked,
      });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      end();
      await ended.catch(() => {});
    },
  };
}

/** Both ways in which clients speak. */
export const ERAS = ["2025", "2026"] as const;
export type Era = typeof ERAS[number];

/** What the person at the client does with an address. */
export type Elicit = (params: ElicitRequestURLParams) => Promise<ElicitResult> | ElicitResult;

export interface ClientRun extends AsyncDisposable {
  readonly client: Client;
  /** Elicitations that the server told to be over. */
  readonly completed: string[];
}

/** The official client, with a person who is shown addresses if `elicit` is there. */
export async function connectClient(
  transport: Transport,
  era: Era,
  elicit?: Elicit,
  info: { name: string; version: string } = { name: "test client", version: "1.2.3" },
): Promise<ClientRun> {
  const options: ClientOptions = {
    capabilities: elicit ? { elicitation: { url: {} } } : {},
    ...(era === "2026" ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {}),
  };
  const client = new Client(info, options);
  const completed: string[] = [];
  if (elicit) {
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      assert.equal(params.mode, "url");
      return await elicit(params as ElicitRequestURLParams);
    });
    client.setNotificationHandler("notifications/elicitation/complete", ({ params }) => {
      completed.push(params.elicitationId);
    });
  }
  await client.connect(transport);
  return {
    client,
    completed,
    [Symbol.asyncDispose]: async () => await client.close(),
  };
}

/** What a tool answered, in words and in members. */
export interface ToolAnswer {
  readonly isError: boolean;
  readonly text: string;
  // deno-lint-ignore no-explicit-any -- foreign shapes, which the client's SDK has judged
  readonly members: Record<string, any>;
}

export async function callTool(
  client: Client,
  name: string,
  input: Message = {},
  options: Parameters<Client["callTool"]>[1] = {},
): Promise<ToolAnswer> {
  const { content, structuredContent, isError } = await client.callTool(
    { name, arguments: input },
    options,
  );
  const [first] = content;
  return {
    isError: isError ?? false,
    text: first?.type === "text" ? first.text : "",
    members: (structuredContent ?? {}) as ToolAnswer["members"],
  };
}
