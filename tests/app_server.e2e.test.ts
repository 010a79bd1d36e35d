import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { deferred } from "../src/deferred.ts";
import { startAppServer } from "./testing/app_server_run.ts";
import { NAVIGATION, obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get, location } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { runProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { runTranscript, type Transcript } from "./testing/transcript.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 60_000 };
const KEY = "sk-test-0123456789abcdefghij";
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

verifies(
  "S73",
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

verifies(
  "S73",
  `${SUBJECT}: nobody can guess the id of a login, and a wrong one ends none`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = startAppServer(home, issuer);
    await run.initialize();
    const ids = new Set<string>();
    for (let id = 1; id <= 5; id++) {
      const { result } = await run.ask(id, "account/login/start", { type: "chatgpt" });
      const { loginId = "" } = result as Record<string, string>;
      // 122 random bits, as the reference has them.
      assert.match(
        loginId,
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      ids.add(loginId);
    }
    assert.equal(ids.size, 5);
    const wrong = "00000000-0000-4000-8000-000000000000";
    const { result } = await run.ask(6, "account/login/cancel", { loginId: wrong });
    assert.deepEqual(result, { status: "notFound" });
    assert.equal((await run.end()).exitCode, 0);
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

verifies(
  "S73",
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

verifies(
  "S73",
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
    // It is seen at the first answer after the pipe is really gone, which the runtime does in its own time.
    let isOver = false;
    const ended = left.program.ended.finally(() => isOver = true);
    for (let id = 1; !isOver; id++) {
      left.send({ id, method: "account/read", params: {} });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal((await ended).exitCode, 3);
  },
);

test(
  `${SUBJECT}: requests that do not wait for each other's answers get the results that they would have had`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const lines = [
      { id: 0, method: "initialize", params: { clientInfo: { name: "x", version: "1" } } },
      { id: 1, method: "account/login/start", params: { type: "apiKey", apiKey: KEY } },
      { id: 2, method: "account/read", params: {} },
      { id: 3, method: "account/logout" },
      { id: 4, method: "getAuthStatus", params: {} },
      { id: 5, method: "account/login/start", params: { type: "apiKey", apiKey: KEY } },
    ];
    const expected = [
      ...[0, 1, "account/login/completed", "account/updated", 2, 3, "account/updated", 4],
      ...[5, "account/login/completed", "account/updated"],
    ];
    await using run = startAppServer(home, issuer);
    run.send(lines.map((line) => JSON.stringify(line)).join("\n"));
    const said: Record<string, unknown>[] = [];
    while (said.length < expected.length) said.push(await run.nextAsItIs());
    assert.deepEqual(said.map(({ id, method }) => id ?? method), expected);
    const { exitCode, rest } = await run.end();
    assert.deepEqual([exitCode, rest], [0, []]);
    assert.equal(JSON.stringify(said[4]).includes('"type":"apiKey"'), true);
    assert.match(JSON.stringify(said[7]), /"authMethod":null/);
  },
);

test(
  `${SUBJECT}: a renewal that is under way is seen through, however the server is ended`,
  SLOW,
  async () => {
    await Promise.all((["stdin", "SIGTERM", "stdout"] as const).map(async (end) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, 3_600);
      const released = deferred<void>();
      issuer.misbehave.refresh = { after: released.promise };
      await using run = startAppServer(home, issuer);
      await run.initialize();
      run.send({ id: 1, method: "account/read", params: { refreshToken: true } });
      while (issuer.asked("refresh").length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (end === "stdin") run.program.child.stdin?.end();
      else if (end === "SIGTERM") run.program.kill("SIGTERM");
      else {
        run.program.child.stdout?.destroy();
        run.send({ id: 2, method: "nope" });
      }
      // Longer than it waits for anything but what must not be cut.
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      released.resolve();
      const { exitCode } = await run.program.ended;
      assert.equal(exitCode, { stdin: 0, SIGTERM: 143, stdout: 3 }[end]);
      const { refresh_token } = (await home.authJson())["tokens"] as Record<string, string>;
      assert.ok(issuer.liveRefreshTokens.has(refresh_token ?? ""), `ended by ${end}`);
    }));
  },
);

test(
  `${SUBJECT}: a host that reads no stderr, or no stdout, stops nothing for good`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: KEY });
    await using run = startAppServer(home, issuer, [], { env: { CODEX_ACCESS_TOKEN: "at-x" } });
    await run.initialize();
    run.program.child.stderr?.pause();
    for (let id = 1; id < 1_000; id++) {
      await run.ask(id, "account/read", {});
    }
    assert.ok((await run.ask(1_000, "getAuthStatus", {}))["result"]);
    run.program.child.stdout?.pause();
    const line = `${JSON.stringify({ id: 1, method: "nope" })}\n`.repeat(1_000);
    for (let i = 0; i < 30; i++) run.program.child.stdin?.write(line);
    run.program.child.stdin?.end();
    const exitCode = await new Promise((resolve) => run.program.child.once("exit", resolve));
    // It has given the reader up, or was told of the end of stdin before that.
    assert.ok(exitCode === 3 || exitCode === 0);
    run.program.child.stdout?.resume();
    run.program.child.stderr?.resume();
  },
);

test(
  `${SUBJECT}: the page of a stored login is delivered, also when the host ends the server at once`,
  SLOW,
  async () => {
    for (const end of ["stdin", "SIGTERM"] as const) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using run = startAppServer(home, issuer);
      await run.initialize();
      const { result } = await run.ask(1, "account/login/start", { type: "chatgpt" });
      const callback = await obtainCallback((result as Record<string, string>)["authUrl"] ?? "");
      const reply = await get(callback, { headers: NAVIGATION });
      while ((await run.next())["method"] !== "account/updated");
      if (end === "stdin") run.program.child.stdin?.end();
      else run.program.kill("SIGTERM");
      const page = await get(new URL(location(reply), callback).href, { headers: NAVIGATION });
      assert.equal(page.status, 200, end);
      assert.equal((await run.program.ended).exitCode, end === "stdin" ? 0 : 143);
    }
  },
);

test("what hosts pass to the reference's app-server is understood", SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const args = ["--listen", "stdio://", "--stdio", "--analytics-default-enabled"];
  await using run = startAppServer(home, issuer, args);
  await run.initialize();
  assert.equal((await run.end()).exitCode, 0);
  const other = await runProgram(home, ["app-server", "--listen", "ws://127.0.0.1:1"]);
  assert.equal(other.exitCode, 2);
});
