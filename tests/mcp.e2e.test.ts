import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { callTool, connectClient, ERAS } from "./testing/mcp_run.ts";
import {
  type Program,
  programCommand,
  programEnvironment,
  startProgram,
} from "./testing/program.ts";

const issuerFor = (issuer: TestIssuer): Record<string, string> => ({
  CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url,
});

function startServer(home: TestHome, issuer: TestIssuer): Program {
  return startProgram(home, ["mcp-server"], { env: issuerFor(issuer), keepsStdin: true });
}

const line = (message: Record<string, unknown>): string =>
  `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`;

async function logIn(program: Program): Promise<string> {
  program.child.stdin?.write(line({ id: 1, method: "loginChatGpt" }));
  return JSON.parse((await program.shows(/^\{.*"authUrl".*\}$/m))[0]).result.authUrl;
}

for (const era of ERAS) {
  test(`${era}: the official client signs a person in, from a folder with nothing in it`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const cwd = join(home.path, "empty");
    await mkdir(cwd);
    const [command = "", ...before] = programCommand();
    const transport = new StdioClientTransport({
      command,
      args: [...before, "mcp-server"],
      env: programEnvironment(home, issuerFor(issuer)),
      cwd,
      stderr: "pipe",
    });
    let words = "";
    transport.stderr?.on("data", (chunk) => words += chunk);
    await using peer = await connectClient(transport, era, async ({ url }) => {
      await visit(url);
      return { action: "accept" };
    });
    const { members, text } = await callTool(peer.client, "login");
    assert.equal(members["status"], "signed_in", text);
    assert.equal((await callTool(peer.client, "login_status")).members["loggedIn"], true);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    await peer.client.close();
    assertNoSecrets([words, await home.textOutsideAuth()].join("\n"), issuer);
  });
}

test("the end of stdin frees the port and ends the program with 0", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startServer(home, issuer);
  const authUrl = await logIn(program);
  program.child.stdin?.end();
  const { exitCode, stdout, stderr } = await program.ended;
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /"method":"codex\/event\/login_chatgpt_complete"/);
  await assert.rejects(get(new URL(authUrl).searchParams.get("redirect_uri") ?? ""));
  assert.deepEqual((await home.list()).filter((name) => name === "auth.json"), []);
  assertNoSecrets(stderr, issuer, authUrl);
});

test("a reader that takes nothing keeps no login from being stored", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startServer(home, issuer);
  const authUrl = await logIn(program);
  const { stdin, stdout } = program.child;
  stdout?.pause();
  const COUNT = 3_000;
  const params = { loginId: "x".repeat(80) };
  for (let id = 2; id < COUNT; id++) {
    stdin?.write(line({ id, method: "cancelLoginChatGpt", params }));
  }
  const steps = await visit(authUrl);
  assert.equal(steps.at(-1)?.reply.status, 200);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  stdout?.resume();
  stdin?.end();
  const ended = await program.ended;
  assert.equal(ended.exitCode, 0);
  const lines = ended.stdout.trimEnd().split("\n").map((text) => JSON.parse(text));
  assert.equal(new Set(lines.map(({ id }) => id)).size, COUNT);
  assert.equal(lines.filter(({ params }) => params?.success === true).length, 1);
});

test("a signal ends the program, and frees the port", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startServer(home, issuer);
  const authUrl = await logIn(program);
  program.kill("SIGTERM");
  const { exitCode } = await program.ended;
  assert.equal(exitCode, 143);
  await assert.rejects(get(new URL(authUrl).searchParams.get("redirect_uri") ?? ""));
});
