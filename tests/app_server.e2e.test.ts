import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { startAppServer } from "./testing/app_server_run.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { SUBJECT } from "./testing/program.ts";
import { runTranscript, type Transcript } from "./testing/transcript.ts";

const SLOW = { timeout: 60_000 };
const FOLDER = fileURLToPath(new URL("vectors/app_server/", import.meta.url));

for (const file of readdirSync(FOLDER)) {
  const transcript: Transcript = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
  test(`${SUBJECT}: app-server, ${file}: ${transcript.what}`, SLOW, async () => {
    const { args = [], config = "", steps, stores = false } = transcript;
    await using issuer = await startIssuer();
    await using home = await createHome();
    await writeFile(join(home.path, "config.toml"), config.replaceAll("$issuer", issuer.url));
    await using run = startAppServer(home, issuer, args);
    await runTranscript(run, issuer, home.path, steps);
    const { exitCode, rest } = await run.end();
    assert.equal(exitCode, 0, run.program.stderr());
    assert.deepEqual(rest, []);
    assert.equal((await home.list()).includes("auth.json"), stores);
    const lines = run.program.stdout().split("\n").filter((line) => !line.includes("authToken"));
    assertNoSecrets(lines.join("\n").replaceAll(/"authUrl":"[^"]*"/g, ""), issuer);
    assertNoSecrets(run.program.stderr() + await home.textOutsideAuth(), issuer);
    assert.ok(!run.program.stderr().includes("sk-"));
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

test(
  `${SUBJECT}: the end of stdin ends the sign-in, frees the port, and is a success`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = startAppServer(home, issuer);
    await run.initialize();
    const { result } = await run.ask(1, "account/login/start", { type: "chatgpt" });
    const { authUrl, loginId } = result as Record<string, string>;
    const port = Number(
      new URL(new URL(authUrl ?? "").searchParams.get("redirect_uri") ?? "").port,
    );
    assert.ok(await isOpen(port));
    const { exitCode, rest } = await run.end();
    assert.equal(exitCode, 0);
    assert.deepEqual(rest.map(({ method, params }) => [method, params as typeof result]), [[
      "account/login/completed",
      {
        loginId,
        success: false,
        error: "The sign-in was cancelled: stdin ended (CANCELED)",
        onboardingEntrypoint: null,
      },
    ]]);
    assert.ok(!await isOpen(port));
    assert.ok(!(await home.list()).includes("auth.json"));
  },
);

/** The same lines each time. */
const SEED = 20_261_121;
const LINES = 10_000;

const anything = fc.anything({ maxDepth: 2 });
const request = fc.record({
  method: fc.oneof(
    fc.constantFrom("initialize", "account/read", "getAuthStatus", "account/login/cancel"),
    fc.constantFrom("account/login/start", "accountSession/list", "toString", "__proto__"),
    fc.string(),
  ),
  params: fc.oneof(
    fc.constant({}),
    anything,
    fc.record({ type: anything, apiKey: anything, loginId: anything, refreshToken: anything }),
  ),
}, { requiredKeys: ["method"] });

/** A line for this number: a request with it as id, half of one, or noise that has no id. */
const noise = fc.oneof(
  { weight: 5, arbitrary: request.map((one) => (id: number) => JSON.stringify({ ...one, id })) },
  {
    weight: 1,
    arbitrary: request.map((one) => (id: number) => JSON.stringify({ ...one, id: `${id}` })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(request, fc.nat(30)).map(([one, end]) => (id: number) =>
      JSON.stringify({ ...one, id }).slice(0, end)
    ),
  },
  { weight: 1, arbitrary: fc.string().map((text) => () => text) },
  { weight: 1, arbitrary: anything.map((one) => () => JSON.stringify(one) ?? "undefined") },
);

test(
  `${SUBJECT}: of ten thousand random and malformed lines every request is answered once, and the server lives`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = startAppServer(home, issuer);
    await run.initialize();
    const lines = fc.sample(noise, { numRuns: LINES, seed: SEED })
      .map((line, i) => line(i + 1).replaceAll(/[\r\n]/g, " "));
    const expected = new Map<unknown, number>();
    for (const line of lines) {
      const id = idOf(line);
      if (id !== undefined) expected.set(id, (expected.get(id) ?? 0) + 1);
      run.send(line);
    }
    assert.ok(expected.size > LINES / 2);
    run.send({ id: "the last one", method: "account/read", params: {} });
    const answered = new Map<unknown, number>();
    while (!answered.has("the last one") || expected.size > answered.size - 1) {
      const { id } = await run.next();
      if (id !== null) answered.set(id, (answered.get(id) ?? 0) + 1);
    }
    answered.delete("the last one");
    assert.deepEqual(answered, expected);
    const { result } = await run.ask(LINES + 1, "account/read", {});
    assert.ok(result);
    const { exitCode, rest } = await run.end();
    assert.equal(exitCode, 0);
    assert.deepEqual(rest, []);
    assert.ok(!(await home.list()).includes("auth.json"));
  },
);

/** Of a line that is a request, or wants to be one. */
function idOf(line: string): unknown {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) return undefined;
  const { id, method } = message as Record<string, unknown>;
  const isId = typeof id === "string" || Number.isSafeInteger(id);
  const isAnswer = method === undefined && ("result" in message || "error" in message);
  return isId && !isAnswer ? id : undefined;
}

test(
  `${SUBJECT}: a line may have a mebibyte; a longer one is refused, and the stream goes on`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = startAppServer(home, issuer);
    await run.initialize();
    const empty = JSON.stringify({ id: 1, method: "account/read", params: { padding: "" } });
    const padding = (bytes: number): string => "x".repeat(bytes - empty.length);
    const params = (bytes: number): unknown => ({ padding: padding(bytes) });
    assert.ok((await run.ask(1, "account/read", params(1 << 20)))["result"]);
    for (const bytes of [(1 << 20) + 1, 9_000_000]) {
      run.send({ id: 1, method: "account/read", params: params(bytes) });
      const { error, id } = await run.next();
      assert.deepEqual([id, (error as Record<string, unknown>)["code"]], [null, -32600]);
    }
    assert.ok((await run.ask(2, "account/read", {}))["result"]);
    assert.equal((await run.end()).exitCode, 0);
  },
);

test(`${SUBJECT}: a reader that reads nothing does not keep a login waiting`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = startAppServer(home, issuer);
  await run.initialize();
  const { result } = await run.ask(1, "account/login/start", { type: "chatgpt" });
  const { authUrl = "", loginId } = result as Record<string, string>;
  run.program.child.stdout?.pause();
  // Their answers are more than the pipe and both ends' buffers take.
  for (let id = 2; id < 3_000; id++) run.send({ id, method: "nope" });
  const page = (await visit(authUrl)).at(-1)?.reply;
  assert.equal(page?.status, 200);
  assert.match(page.body, /You are signed in/);
  assert.ok((await home.list()).includes("auth.json"));
  run.program.child.stdout?.resume();
  for (;;) {
    const { method, params } = await run.next();
    if (method !== "account/login/completed") continue;
    assert.equal((params as Record<string, unknown>)["loginId"], loginId);
    assert.equal((params as Record<string, unknown>)["success"], true);
    break;
  }
  assert.equal((await run.end()).exitCode, 0);
});

test(`${SUBJECT}: the end of stdin ends the server, however little is read`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = startAppServer(home, issuer);
  await run.initialize();
  run.program.child.stdout?.pause();
  for (let id = 1; id < 3_000; id++) run.send({ id, method: "nope" });
  run.program.child.stdin?.end();
  const exitCode = await new Promise((resolve) => run.program.child.once("exit", resolve));
  assert.equal(exitCode, 0);
  run.program.child.stdout?.resume();
});

test(
  `${SUBJECT}: a signal ends the server as it ends any command, and a reader that is gone does too`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using told = startAppServer(home, issuer);
    await told.initialize();
    await told.ask(1, "account/login/start", { type: "chatgpt" });
    told.program.kill("SIGTERM");
    assert.equal((await told.program.ended).exitCode, 143);
    await using left = startAppServer(home, issuer);
    await left.initialize();
    left.program.child.stdout?.destroy();
    left.send({ id: 1, method: "account/read", params: {} });
    assert.equal((await left.program.ended).exitCode, 3);
  },
);
