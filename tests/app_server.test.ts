import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { type AppServer, createAppServer } from "../src/app_server.ts";
import { configForHost, resolveConfig } from "../src/config.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createMemoryStore } from "../src/host_store.ts";
import type { World } from "../src/world.ts";
import { assertMessage } from "./testing/app_server_messages.ts";
import { NAVIGATION, obtainCallback, visit } from "./testing/fake_browser.ts";
import { recordLog } from "./testing/recorded_log.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";

type Message = Record<string, unknown>;

interface Session {
  readonly world: TestWorld;
  readonly server: AppServer;
  readonly sent: Message[];
  readonly notes: string[];
  /** Resolves with the first message for which this holds, past or to come. */
  seen(isIt: (message: Message) => boolean): Promise<Message>;
  ask(id: number, method: string, params?: unknown): Promise<Message>;
  /** `account/login/start` of this kind; gives its result. */
  start(id: number, type: string, members?: Message): Promise<Record<string, string>>;
  completed(loginId: string | null | undefined): Promise<Message>;
}

async function openSession(
  home: TestHome,
  issuer: Pick<TestIssuer, "url">,
  changes: Partial<World> = {},
): Promise<Session> {
  const world = await createWorld({
    env: {
      XDG_RUNTIME_DIR: home.path,
      CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url,
      CODEX_AUTHAPI_BASE_URL: `${issuer.url}/api/accounts`,
    },
    ...changes,
  });
  const config = await resolveConfig(world, { codexHome: home.path, isServer: true });
  const sent: Message[] = [];
  const notes: string[] = [];
  const methods = new Map<unknown, string>();
  let more = deferred<void>();
  const server = createAppServer(world, { ...config, notes: [] }, {
    send(line): void {
      const message: Message = JSON.parse(line);
      assertMessage(message, (id) => methods.get(id) ?? "");
      sent.push(message);
      const { resolve } = more;
      more = deferred();
      resolve();
    },
    note: (message) => notes.push(message),
    isStrict: false,
  });
  async function seen(isIt: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = sent.find(isIt);
      if (found) return found;
      await more.promise;
    }
  }
  function ask(id: number, method: string, params?: unknown): Promise<Message> {
    methods.set(id, method);
    server.receive({ text: JSON.stringify({ id, method, params }) });
    return seen((message) => message["id"] === id && !("method" in message));
  }
  await ask(0, "initialize", {
    clientInfo: { name: "test", version: "1" },
    capabilities: { experimentalApi: true },
  });
  return {
    world,
    server,
    sent,
    notes,
    seen,
    ask,
    start: async (id, type, members = {}) =>
      (await ask(id, "account/login/start", { type, ...members }))["result"] as Record<
        string,
        string
      >,
    async completed(loginId): Promise<Message> {
      const isIt = ({ method, params }: Message): boolean =>
        method === "account/login/completed" && (params as Message)["loginId"] === loginId;
      return (await seen(isIt))["params"] as Message;
    },
  };
}

test("a thousand questions at once for the account are one to ChatGPT, also when it fails", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await writeFile(`${home.path}/config.toml`, `chatgpt_base_url = "${issuer.url}/backend-api"\n`);
  await storeLogin(home, issuer, 3_600);
  const session = await openSession(home, issuer);
  const askAll = async (first: number): Promise<Message[]> =>
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => session.ask(first + i, "account/read", {})),
    );
  issuer.misbehave.accounts = { status: 503 };
  const routings = (answers: Message[]): Set<string> =>
    new Set(answers.map(({ result }) => JSON.stringify((result as Message)["workspaceRouting"])));
  assert.deepEqual(routings(await askAll(1_000)), new Set(["null"]));
  const failed = issuer.asked("accounts").length;
  delete issuer.misbehave.accounts;
  const [routing = "null", ...others] = routings(await askAll(3_000));
  assert.notEqual(routing, "null");
  assert.deepEqual(others, []);
  // What was asked while the file was being read may come a little later than the others.
  assert.ok(failed >= 1 && failed < 20, String(failed));
  assert.equal(issuer.asked("accounts").length - failed, 1);
});

/** Until the issuer has the code, and holds it back. */
async function exchanging(issuer: TestIssuer): Promise<void> {
  while (issuer.asked("token").length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a sign-in with the browser that nobody completes ends after ten minutes, one with a code after fifteen", async () => {
  for (const [type, minutes] of [["chatgpt", 10], ["chatgptDeviceCode", 15]] as const) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const clock = createSteppedClock();
    const session = await openSession(home, issuer, clock);
    const { loginId } = await session.start(1, type);
    await clock.advance(minutes * 60_000 - 1_000);
    assert.ok(!session.sent.some(({ method }) => method === "account/login/completed"));
    await clock.advance(60_000);
    const { success, error } = await session.completed(loginId);
    assert.equal(success, false);
    assert.match(String(error), /\(LOGIN_TIMEOUT\)$/);
    assert.ok(!(await home.list()).includes("auth.json"));
    await session.server.idle();
  }
});

test("other requests are answered while a login begins, waits and is exchanged", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const session = await openSession(home, issuer);
  const released = deferred<void>();
  issuer.misbehave.token = { after: released.promise };
  const { authUrl = "", loginId } = await session.start(1, "chatgpt");
  const page = visit(authUrl);
  await exchanging(issuer);
  assert.deepEqual((await session.ask(3, "account/read", {}))["result"], {
    account: null,
    userId: null,
    requiresOpenaiAuth: true,
    workspaceRouting: null,
  });
  released.resolve();
  assert.equal((await session.completed(loginId))["success"], true);
  assert.match((await page).at(-1)?.reply.body ?? "", /go back to the program that you came from/);
  await session.server.idle();
});

test("of two logins that race, the first is told to be over before the second is begun", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const session = await openSession(home, issuer);
  const results = await Promise.all([1, 2, 3].map((id) => session.start(id, "chatgpt")));
  const last = results.at(-1) ?? {};
  const begun = results.filter((result) => result !== undefined);
  for (const { loginId } of begun.slice(0, -1)) {
    assert.match(String((await session.completed(loginId))["error"]), /\(SUPERSEDED\)$/);
  }
  const order = session.sent.map(({ id, params }) =>
    id === 3 ? "last" : (params as Message | undefined)?.["loginId"]
  ).filter((one) => one !== undefined);
  assert.equal(order.at(-1), "last");
  await visit(last["authUrl"] ?? "");
  assert.equal((await session.completed(last["loginId"]))["success"], true);
  await session.server.idle();
});

test("a callback and a cancellation that race end in one of two ways, told truly", async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 24; round++) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const session = await openSession(home, issuer);
    const { authUrl = "", loginId } = await session.start(1, "chatgpt");
    const callback = await obtainCallback(authUrl);
    const cancel = (): Promise<Message> => session.ask(2, "account/login/cancel", { loginId });
    const arrive = (): Promise<unknown> => get(callback, { headers: NAVIGATION }).catch(() => {});
    // The moment of the cancellation moves on through the exchange and the save.
    const arriving = round % 2 === 0 ? arrive() : undefined;
    for (let i = 0; i < round * 2; i++) await new Promise((resolve) => setImmediate(resolve));
    const canceling = cancel();
    const [{ result }] = await Promise.all([canceling, arriving ?? arrive()]);
    const { success } = await session.completed(loginId);
    const { status } = result as Message;
    const isStored = (await home.list()).includes("auth.json");
    assert.equal(success, isStored);
    assert.equal(status, isStored ? "notFound" : "canceled");
    const order = session.sent.map(({ id, method }) => id ?? method);
    assert.ok(isStored || order.indexOf(2) < order.indexOf("account/login/completed"));
    outcomes.add(String(status));
    await session.server.idle();
  }
  assert.ok(outcomes.has("canceled"));
});

test("a logout during a login ends both, whichever comes first", async () => {
  for (const isExchanged of [false, true]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const session = await openSession(home, issuer);
    const { authUrl = "", loginId } = await session.start(1, "chatgpt");
    const page = isExchanged ? visit(authUrl).catch(() => []) : undefined;
    if (isExchanged) await exchanging(issuer);
    assert.deepEqual((await session.ask(3, "account/logout"))["result"], {});
    await session.completed(loginId);
    await page;
    await session.server.idle();
    assert.ok(!(await home.list()).includes("auth.json"));
    const updates = session.sent.filter(({ method }) => method === "account/updated");
    assert.deepEqual((updates.at(-1)?.["params"] as Message)["authMode"], null);
  }
});

test("the end of the program ends a login that waits, and one that is asked for", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const session = await openSession(home, issuer);
  const { loginId } = await session.start(1, "chatgpt");
  session.world.end(new LoginError("TERMINATED", "Cancelled by SIGTERM"));
  assert.match(String((await session.completed(loginId))["error"]), /SIGTERM \(TERMINATED\)$/);
  const refused = await session.ask(2, "account/login/start", { type: "chatgptDeviceCode" });
  assert.equal((refused["error"] as Message)["code"], -32603);
  await session.server.idle();
});

test("a login that cannot be stored is a failure, with its cause", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const world = await createWorld();
  const config = await resolveConfig(
    { ...world, env: { CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url } },
    { codexHome: home.path, isServer: true },
  );
  const store = { ...createMemoryStore(), write: () => Promise.reject(new Error("sk-secret")) };
  const sent: Message[] = [];
  const ended = deferred<void>();
  const server = createAppServer(
    world,
    configForHost(world, { ...config, store }, { name: "x", version: "1" }),
    {
      send(line): void {
        const message: Message = JSON.parse(line);
        sent.push(message);
        if (message["method"] === "account/login/completed") ended.resolve();
        const { authUrl } = (message["result"] ?? {}) as Record<string, string>;
        if (authUrl) void visit(authUrl);
      },
      note: () => {},
      isStrict: false,
    },
  );
  const clientInfo = { name: "x", version: "1" };
  for (
    const [id, method, params] of [
      [0, "initialize", { clientInfo }],
      [1, "account/login/start", { type: "chatgpt" }],
    ] as const
  ) server.receive({ text: JSON.stringify({ id, method, params }) });
  await ended.promise;
  await server.idle();
  const { params } = sent.at(-1) ?? {};
  assert.match(
    String((params as Message)["error"]),
    /own store .* written: Error \(SAVE_FAILED\)$/,
  );
  assert.ok(!JSON.stringify(sent).includes("sk-secret"));
  assert.ok(!sent.some(({ method }) => method === "account/updated"));
});

test("a personal access token is asked about, and never given out", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const [user] = [{
    sub: "user-ada",
    email: "ada@example.com",
    plan: "plus",
    accountId: "acct-1111",
  }];
  issuer.personalAccessTokens.set("at-good", user);
  const session = await openSession(home, issuer);
  await home.writeAuth({ OPENAI_API_KEY: null, personal_access_token: "at-good" });
  const { result } = await session.ask(1, "account/read", {});
  assert.deepEqual((result as Message)["account"], {
    type: "chatgpt",
    email: "ada@example.com",
    planType: "plus",
    workspaceName: null,
  });
  const auth = await session.ask(2, "getAuthStatus", { includeToken: true, refreshToken: true });
  assert.deepEqual(auth["result"], {
    authMethod: "personalAccessToken",
    authToken: null,
    requiresOpenaiAuth: true,
  });
  issuer.personalAccessTokens.clear();
  const gone = await session.ask(3, "account/read", {});
  assert.equal((gone["result"] as Message)["account"], null);
  issuer.misbehave.whoami = { status: 500 };
  const unknown = await session.ask(4, "account/read", {});
  assert.deepEqual((unknown["result"] as Message)["account"], {
    type: "chatgpt",
    email: null,
    planType: "unknown",
    workspaceName: null,
  });
});

test("what Codex itself stored of Amazon Bedrock is shown, and damage is told", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const session = await openSession(home, issuer);
  await home.writeAuth({
    auth_mode: "bedrockApiKey",
    OPENAI_API_KEY: null,
    bedrock_api_key: { api_key: "k", region: "us-east-1" },
  });
  assert.deepEqual((await session.ask(1, "account/read", {}))["result"], {
    account: { type: "amazonBedrock", usesCodexManagedCredentials: true },
    userId: null,
    requiresOpenaiAuth: false,
    workspaceRouting: null,
  });
  assert.deepEqual((await session.ask(2, "getAuthStatus", { includeToken: true }))["result"], {
    authMethod: null,
    authToken: null,
    requiresOpenaiAuth: false,
  });
  await home.writeAuth("{ damaged");
  for (const [id, method] of [[3, "account/read"], [4, "getAuthStatus"]] as const) {
    const { error } = await session.ask(id, method, {});
    assert.equal((error as Message)["code"], -32603);
    assert.equal(((error as Message)["data"] as Message)["code"], "CREDENTIALS_CORRUPT");
  }
});

test("a token goes to ChatGPT only if it is ChatGPT's, or the setting says so", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const asked: string[] = [];
  const { fetch } = await createWorld();
  const session = await openSession(home, issuer, {
    fetch(url, init): Promise<Response> {
      asked.push(url);
      return fetch(url, init);
    },
  });
  const { authUrl = "", loginId } = await session.start(1, "chatgpt");
  await visit(authUrl);
  await session.completed(loginId);
  await session.ask(2, "account/read", {});
  await session.server.idle();
  assert.ok(asked.length > 0);
  for (const url of asked) assert.ok(url.startsWith(issuer.url), url);
});

test("each sign-in and each logout of one server has its own story in the log, and its page names it", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const log = recordLog();
  const session = await openSession(home, issuer, { log });
  issuer.misbehave.token = { status: 400, body: "{}" };
  const references: string[] = [];
  for (const id of [1, 2]) {
    const { authUrl = "", loginId } = await session.start(id, "chatgpt");
    const page = (await visit(authUrl)).at(-1)?.reply.body ?? "";
    references.push(/Reference: <code>([a-z2-7]{8})</.exec(page)?.[1] ?? "");
    await session.completed(loginId);
  }
  assert.ok(references[0] && references[1] && references[0] !== references[1]);
  for (const reference of references) {
    const story = log.lines.filter(({ fields }) => fields.attempt === reference);
    assert.equal(story[0]?.message, "preparing a sign-in");
    const { message, fields } = story.at(-1) ?? {};
    assert.deepEqual([message, fields?.code], ["the sign-in failed", "TOKEN_ENDPOINT"]);
  }
  assert.ok(log.lines.every(({ fields }) => references.includes(fields.attempt ?? "")));
  assert.equal(issuer.requests.filter(({ method }) => method === "HEAD").length, 0);
  await storeLogin(home, issuer, 3_600);
  await session.ask(3, "account/logout");
  const last = log.lines.at(-1);
  assert.equal(last?.message, "removal done");
  assert.ok(!references.includes(last?.fields.attempt ?? ""));
});
