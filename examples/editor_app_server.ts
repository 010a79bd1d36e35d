/**
 * An editor that signs in through `codex-login app-server`: one JSON object a line, both ways.
 *
 * Arguments: the command that starts the server (default: codex-login app-server).
 */
// deno-lint-ignore-file no-console -- a program's own words
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

interface Message {
  readonly id?: number;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any -- whatever the server says
  readonly params?: any;
  // deno-lint-ignore no-explicit-any -- whatever the server says
  readonly result?: any;
  readonly error?: { readonly code: number; readonly message: string };
}

const words = process.argv.slice(2);
const [command = "codex-login", ...args] = words.length > 0 ? words : ["codex-login", "app-server"];
const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const answers = new Map<number, (message: Message) => void>();
const waiting = new Map<string, (message: Message) => void>();
const completed = notified("account/login/completed");

createInterface({ input: server.stdout }).on("line", (line) => {
  const message: Message = JSON.parse(line);
  if (message.method === undefined) answers.get(message.id ?? 0)?.(message);
  else waiting.get(message.method)?.(message);
});

function send(message: Record<string, unknown>): void {
  server.stdin.write(`${JSON.stringify(message)}\n`);
}

let lastId = 0;
function request(method: string, params: Record<string, unknown>): Promise<Message["result"]> {
  const id = ++lastId;
  send({ id, method, params });
  return new Promise((resolve, reject) => {
    answers.set(
      id,
      ({ result, error }) => error ? reject(new Error(error.message)) : resolve(result),
    );
  });
}

function notified(method: string): Promise<Message> {
  return new Promise((resolve) => waiting.set(method, resolve));
}

await request("initialize", {
  clientInfo: { name: "example_editor", title: "Example editor", version: "1.0.0" },
});
send({ method: "initialized" });

const { authUrl, loginId } = await request("account/login/start", { type: "chatgpt" });
console.log(`Open this address to sign in:\n${authUrl}`);

const { params } = await completed;
if (params.loginId !== loginId || !params.success) {
  throw new Error(params.error ?? "not this login");
}
const { account } = await request("account/read", { refreshToken: false });
console.log(`Signed in as ${account.email} (plan ${account.planType}).`);

// The server ends with its input.
server.stdin.end();
