import assert from "node:assert/strict";
import { test } from "node:test";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { connectClient, ERAS, type McpRun, type Message, startMcp } from "./testing/mcp_run.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";

const COMPLETE = "codex/event/login_chatgpt_complete";

interface Begun {
  readonly loginId: string;
  readonly authUrl: string;
}

let nextId = 0;

async function request(run: McpRun, method: string, params?: Message): Promise<Message> {
  const id = `earlier-${nextId++}`;
  run.send({ jsonrpc: "2.0", id, method, ...(params ? { params } : {}) });
  return await run.answer(id);
}

async function logIn(run: McpRun): Promise<Begun> {
  return (await request(run, "loginChatGpt"))["result"] as Begun;
}

async function completion(run: McpRun, { loginId }: Begun): Promise<Message> {
  const { params } = await run.message(({ method, params }) =>
    method === COMPLETE && (params as Message)["loginId"] === loginId
  );
  return params as Message;
}

/** The messages in their order, as one word each. */
function transcript(run: McpRun, names: Record<string, string>): string[] {
  return run.messages.map(({ id, result, error, method, params }) => {
    if (method !== undefined) {
      const { loginId, success } = params as Message;
      return `${names[loginId as string]} ${success === true ? "stored" : "ended"}`;
    }
    if (error !== undefined) return `error ${(error as Message)["code"]}`;
    const { loginId } = result as Message;
    return loginId === undefined
      ? `${id === null ? "?" : "done"}`
      : `${names[loginId as string]} begun`;
  });
}

test("a login is answered with its address, and told when it is stored", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  const login = await logIn(run);
  assert.deepEqual(Object.keys(login), ["loginId", "authUrl"]);
  assert.match(
    login.loginId,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.ok(login.authUrl.startsWith(`${issuer.url}/oauth/authorize?`));
  await visit(login.authUrl);
  assert.deepEqual(await completion(run, login), { loginId: login.loginId, success: true });
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  assert.deepEqual(transcript(run, { [login.loginId]: "one" }), ["one begun", "one stored"]);
  run.assertNothingLeaked();
});

test("a new login takes the place of the one before, whose end is told first", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  const one = await logIn(run);
  const two = await logIn(run);
  const names = { [one.loginId]: "one", [two.loginId]: "two" };
  assert.deepEqual(transcript(run, names), ["one begun", "one ended", "two begun"]);
  assert.deepEqual(await completion(run, one), {
    loginId: one.loginId,
    success: false,
    error: "A newer sign-in took over",
  });
  await visit(two.authUrl);
  await completion(run, two);
  assert.equal(transcript(run, names).at(-1), "two stored");
});

test("a cancellation is answered before the end is told; an id that is unknown is refused", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  const { loginId, authUrl } = await logIn(run);
  assert.deepEqual((await request(run, "cancelLoginChatGpt", { loginId: "x\u202ey" }))["error"], {
    code: -32600,
    message: "login id not found: xy",
  });
  assert.deepEqual((await request(run, "cancelLoginChatGpt", { loginId }))["result"], {});
  assert.deepEqual(await completion(run, { loginId, authUrl }), {
    loginId,
    success: false,
    error: "The sign-in was cancelled",
  });
  const again = await request(run, "cancelLoginChatGpt", { loginId });
  assert.deepEqual(again["error"], { code: -32600, message: `login id not found: ${loginId}` });
  assert.deepEqual(transcript(run, { [loginId]: "one" }), [
    "one begun",
    "error -32600",
    "done",
    "one ended",
    "error -32600",
  ]);
  for (const params of [undefined, { loginId: 1 }, { id: loginId }]) {
    const refused = (await request(run, "cancelLoginChatGpt", params))["error"] as Message;
    assert.equal(refused["code"], -32602);
  }
});

test("a login that the issuer refuses, that nobody finishes, or that cannot begin is told with its cause", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const clock = createSteppedClock();
  await using run = await startMcp(home, issuer, { changes: clock });
  issuer.misbehave.token = { status: 400, body: JSON.stringify({ error: "invalid_grant" }) };
  const refused = await logIn(run);
  await visit(refused.authUrl);
  const { success, error } = await completion(run, refused);
  assert.equal(success, false);
  assert.match(error as string, /invalid_grant/);
  await clock.advance(20_000);

  const late = await logIn(run);
  await clock.advance(599_000);
  assert.equal(run.messages.filter(({ method }) => method === COMPLETE).length, 1);
  await clock.advance(1_000);
  assert.match((await completion(run, late))["error"] as string, /within 10 min/);
  assert.ok(!(await home.list()).includes("auth.json"));
  run.assertNothingLeaked();

  await using strict = await startMcp(home, issuer, { overrides: ["forced_login_method=api"] });
  const forbidden = (await request(strict, "loginChatGpt"))["error"] as Message;
  assert.equal(forbidden["code"], -32600);
  assert.equal((forbidden["data"] as Message)["code"], "LOGIN_METHOD_FORBIDDEN");
});

test("an answer comes before anything is told of its login, however early the callback is", async () => {
  await using issuer = await startIssuer();
  for (let i = 0; i < 12; i++) {
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    const login = await logIn(run);
    const callback = await obtainCallback(login.authUrl);
    const canceling = (): Promise<Message> =>
      request(run, "cancelLoginChatGpt", { loginId: login.loginId });
    const visiting = (): Promise<unknown> => visit(callback).catch(() => {});
    const acts = i % 2 === 0 ? [canceling, visiting] : [visiting, canceling];
    await Promise.all(acts.map((act) => act()));
    const { success } = await completion(run, login);
    assert.equal(success, (await home.list()).includes("auth.json"));
    const order = transcript(run, { [login.loginId]: "one" });
    assert.equal(order[0], "one begun");
    // A cancellation that came too late is told before or after the end; one that worked, before.
    if (success === false) assert.deepEqual(order.slice(1), ["done", "one ended"]);
    else assert.deepEqual(order.slice(1).sort(), ["error -32600", "one stored"]);
    assert.equal(run.messages.filter(({ method }) => method === COMPLETE).length, 1);
    run.assertNothingLeaked();
  }
});

for (const era of ERAS) {
  test(`${era}: the earlier methods work beside the tools`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), era);
    const login = await logIn(run);
    const status = await peer.client.callTool({ name: "login_status", arguments: {} });
    const { pending } = status.structuredContent as { pending: Begun };
    assert.equal(pending.loginId, login.loginId);
    await peer.client.callTool({ name: "cancel_login", arguments: {} });
    assert.equal((await completion(run, login))["success"], false);
  });
}
