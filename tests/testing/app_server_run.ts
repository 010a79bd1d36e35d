import assert from "node:assert/strict";
import { deferred } from "../../src/deferred.ts";
import type { TestHome } from "./home.ts";
import type { TestIssuer } from "./issuer.ts";
import { assertMessage } from "./app_server_messages.ts";
import { type Program, type StartOptions, startProgram } from "./program.ts";

type Message = Record<string, unknown>;

/** An app-server as a process, and the lines that it wrote. */
export interface AppServerRun extends AsyncDisposable {
  readonly program: Program;
  /** Writes a message, or a line as it is. */
  send(message: Message | string): void;
  /** The next line, as a message that was held to its schema. */
  next(): Promise<Message>;
  /** The same of an answer to a request that was part of a longer text. */
  nextAsItIs(): Promise<Message>;
  /** Sends a request and gives its result, with what came before it. */
  ask(id: number, method: string, params?: unknown): Promise<Message>;
  initialize(capabilities?: Message): Promise<void>;
  /** Ends stdin; gives the lines that nobody has taken yet. */
  end(): Promise<{ exitCode: number | null; rest: Message[] }>;
}

export function serverEnvironment(issuer: Pick<TestIssuer, "url">): Record<string, string> {
  return {
    CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token`,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/revoke`,
    CODEX_AUTHAPI_BASE_URL: `${issuer.url}/api/accounts`,
  };
}

export function startAppServer(
  home: TestHome,
  issuer: Pick<TestIssuer, "url">,
  args: readonly string[] = [],
  options: StartOptions & { readonly isReference?: boolean } = {},
): AppServerRun {
  const program = startProgram(home, ["app-server", ...args], {
    keepsStdin: true,
    ...options,
    env: { ...serverEnvironment(issuer), ...options.env },
  });
  const messages: Message[] = [];
  const methods = new Map<unknown, string>();
  let text = "";
  let taken = 0;
  let more = deferred<void>();
  let isOver = false;
  const wake = (): void => {
    const { resolve } = more;
    more = deferred();
    resolve();
  };
  program.child.stdout?.on("data", (chunk) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    messages.push(...lines.map((line) => JSON.parse(line)));
    wake();
  });
  program.ended.then(() => {
    isOver = true;
    wake();
  });

  function send(message: Message | string): void {
    const line = typeof message === "string" ? message : JSON.stringify(message);
    const { id, method } = parseObject(line);
    if (typeof method === "string") methods.set(id, method);
    program.child.stdin?.write(`${line}\n`);
  }
  async function nextAsItIs(): Promise<Message> {
    while (messages.length === taken) {
      assert.ok(!isOver, `it ended: ${program.stderr()}`);
      await more.promise;
    }
    return messages[taken++] ?? {};
  }
  async function next(): Promise<Message> {
    const message = await nextAsItIs();
    if (!options.isReference) assertMessage(message, (id) => methods.get(id) ?? "");
    return message;
  }

  return {
    program,
    send,
    next,
    nextAsItIs,
    async ask(id, method, params): Promise<Message> {
      send({ id, method, ...(params === undefined ? {} : { params }) });
      for (;;) {
        const message = await next();
        if (message["id"] === id && !("method" in message)) return message;
      }
    },
    async initialize(capabilities): Promise<void> {
      const clientInfo = { name: "editor", title: null, version: "1.2" };
      const params = { clientInfo, ...(capabilities ? { capabilities } : {}) };
      send({ id: 0, method: "initialize", params });
      while ((await next())["id"] !== 0);
      send({ method: "initialized" });
    },
    async end(): Promise<{ exitCode: number | null; rest: Message[] }> {
      program.child.stdin?.end();
      const { exitCode } = await program.ended;
      return { exitCode, rest: messages.slice(taken) };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

function parseObject(line: string): Message {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
