import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import {
  createMemoryStore,
  type ForeignFetch,
  getAccessToken,
  LoginError,
  logout,
  startBrowserLogin,
  startDeviceLogin,
  status,
} from "../src/mod.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { assertNothingKept, failureOf, homeOptions, signInOptions } from "./testing/library.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA } from "./testing/users.ts";

function assertFree(port: number): Promise<void> {
  return assert.rejects(get(`http://127.0.0.1:${port}/success`), { code: "ECONNREFUSED" });
}

/** What of the process a library has no business with. */
function processState(): unknown {
  const events = process.eventNames();
  return {
    env: { ...process.env },
    listeners: events.map((name) => [name, process.listenerCount(name)]),
    cwd: process.cwd(),
  };
}

test("a browser login: handle, page, stored login, token, status and logout", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const before = processState();
  const notes: string[] = [];
  const login = await startBrowserLogin({
    ...signInOptions(home, issuer),
    originator: { name: "My Editor", version: "1.2" },
    onNote: (note) => void notes.push(note),
  });
  assert.deepEqual(Object.keys(login).sort(), ["authUrl", "cancel", "done", "port"]);
  const query = new URL(login.authUrl).searchParams;
  assert.equal(query.get("originator"), "My Editor");
  assert.equal(query.get("redirect_uri"), `http://127.0.0.1:${login.port}/auth/callback`);

  const steps = await visit(login.authUrl);
  const page = steps.at(-1)?.reply.body ?? "";
  assert.ok(page.includes("ada@example.com") && !page.includes("terminal"));
  assert.deepEqual(await login.done, {
    account: {
      email: ADA.email,
      plan: ADA.plan,
      accountId: ADA.accountId,
      userId: ADA.sub,
      workspaceName: ADA.workspaceName,
    },
    store: "file",
    path: home.authPath,
    onboardingEntrypoint: undefined,
  });
  await assertFree(login.port);
  assert.equal(await home.mode("auth.json"), "600");
  login.cancel();
  await login.done;

  const { tokens } = await home.authJson() as { tokens: Record<string, string> };
  const found = await getAccessToken(homeOptions(home));
  assert.equal(found.token, tokens["access_token"]);
  assert.equal(found.accountId, ADA.accountId);
  assert.equal(found.authMode, "chatgpt");
  assert.match(found.expiresAt ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const signedIn = await status(homeOptions(home));
  assert.equal(signedIn.loggedIn, true);
  assert.equal(signedIn.account?.email, ADA.email);

  assert.deepEqual(await logout(homeOptions(home)), {
    local: "removed",
    revocation: { kind: "revoked" },
  });
  assert.equal((await status(homeOptions(home))).loggedIn, false);
  assert.equal((await failureOf(getAccessToken(homeOptions(home)), issuer)).code, "NOT_SIGNED_IN");
  assert.deepEqual(notes, []);
  assert.ok(!(await home.list()).includes("log"));
  assert.deepEqual(processState(), before);
});

test("a canceled login frees its port, keeps what was stored, and nobody has to look", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, 3_600);
  const before = await home.readAuth();
  const { done, cancel, port, authUrl } = await startBrowserLogin(signInOptions(home, issuer));
  cancel();
  cancel();
  // A rejection that nobody took would have ended the test run by then.
  await assert.rejects(get(`http://127.0.0.1:${port}/`).then(() => done));
  assert.equal((await failureOf(done, issuer, authUrl)).code, "CANCELED");
  await assertFree(port);
  await assertNothingKept(home, issuer, before);
});

test("a signal that aborted already: nothing is begun", async () => {
  await using home = await createHome();
  const signal = AbortSignal.abort("sk-secret");
  const options = { ...homeOptions(home), signal };
  const fetch: ForeignFetch = () => assert.fail("somebody was asked");
  for (
    const work of [
      startBrowserLogin({ ...options, fetch, port: 0 }),
      startDeviceLogin({ ...options, fetch }),
      getAccessToken(options),
      status(options),
      logout(options),
    ]
  ) {
    const { code, stack } = await failureOf(work);
    assert.equal(code, "CANCELED");
    assert.ok(!stack?.includes("sk-secret"));
  }
  assert.deepEqual(await home.list(), []);
});

test("a signal that aborts while the login waits, or while its code is exchanged", async () => {
  await using issuer = await startIssuer();
  for (const moment of ["waiting", "exchange"] as const) {
    await using home = await createHome();
    const ending = new AbortController();
    const login = await startBrowserLogin({
      ...signInOptions(home, issuer),
      signal: ending.signal,
    });
    const callback = await obtainCallback(login.authUrl);
    const asked = deferred<void>();
    const never = new Promise<void>(() => {});
    issuer.misbehave.token = {
      get after(): Promise<void> {
        asked.resolve();
        return never;
      },
    };
    const page = moment === "exchange" ? get(callback) : undefined;
    if (page) await asked.promise;
    ending.abort(new Error("sk-secret"));
    const error = await failureOf(login.done, issuer, login.authUrl);
    assert.equal(error.code, "CANCELED");
    assert.ok(!`${error.message} ${error.reason} ${error.stack}`.includes("sk-secret"));
    if (page) assert.equal((await page).status, 409);
    await assertFree(login.port);
    await assertNothingKept(home, issuer);
    delete issuer.misbehave.token;
  }
});

test("a signal that aborts once the login is stored only ends the wait for the page", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const ending = new AbortController();
  const login = await startBrowserLogin({ ...signInOptions(home, issuer), signal: ending.signal });
  assert.equal((await get(await obtainCallback(login.authUrl))).status, 303);
  ending.abort();
  assert.equal((await login.done).account.email, ADA.email);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
});

test("two logins at once do not know each other", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using other = await createHome();
  const [one, two] = await Promise.all([
    startBrowserLogin(signInOptions(home, issuer)),
    startBrowserLogin({ ...signInOptions(other, issuer), redirectHost: "localhost" }),
  ]);
  assert.notEqual(one.port, two.port);
  // The answer to one is nothing to the other.
  const foreign = new URL(await obtainCallback(one.authUrl));
  foreign.port = String(two.port);
  assert.equal((await get(foreign.href)).status, 400);
  one.cancel();
  await visit(two.authUrl);
  assert.equal((await two.done).path, other.authPath);
  assert.equal((await failureOf(one.done, issuer)).code, "CANCELED");
  await assertNothingKept(home, issuer);
});

test("a device login: code, stored login; and one that is canceled", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { port: _, ...options } = signInOptions(home, issuer);
  const login = await startDeviceLogin(options);
  assert.equal(login.verificationUrl, `${issuer.url}/codex/device`);
  assert.match(login.userCode, /^\w{4}-\w+$/);
  assert.ok(Date.parse(login.expiresAt) > Date.now());
  issuer.enterCode(login.userCode);
  assert.equal((await login.done).account.email, ADA.email);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");

  await using empty = await createHome();
  const canceled = await startDeviceLogin({ ...options, ...homeOptions(empty) });
  canceled.cancel();
  assert.equal((await failureOf(canceled.done, issuer)).code, "CANCELED");
  await assertNothingKept(empty, issuer);

  const late = await startDeviceLogin({ ...options, ...homeOptions(empty), timeoutMs: 5 });
  assert.equal((await failureOf(late.done, issuer)).code, "LOGIN_TIMEOUT");
  issuer.misbehave.deviceCode = { status: 500 };
  const refused = await failureOf(startDeviceLogin({ ...options, ...homeOptions(empty) }), issuer);
  assert.ok(refused.exitCode > 0);
  await assertNothingKept(empty, issuer);
});

test("a program's own store holds the login, and no file does", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const store = createMemoryStore();
  const codexHome = join(home.path, "none");
  const env = { ...homeOptions(home).env, CODEX_ACCESS_TOKEN: "at-of-the-person" };
  const own = { codexHome, env, store };
  const login = await startBrowserLogin({ ...own, issuer: issuer.url, port: 0 });
  await visit(login.authUrl);
  const { store: kind, path } = await login.done;
  assert.deepEqual([kind, path], ["host", null]);
  const { tokens } = JSON.parse(await store.read() ?? "");
  assert.equal((await getAccessToken(own)).token, tokens.access_token);
  const signedIn = await status(own);
  assert.deepEqual([signedIn.loggedIn, signedIn.store, signedIn.overriddenBy], [
    true,
    "host",
    null,
  ]);
  const renewed = await getAccessToken({ ...own, refused: tokens.access_token });
  assert.equal(JSON.parse(await store.read() ?? "").tokens.access_token, renewed.token);
  await logout(own);
  assert.equal(await store.read(), undefined);
  assert.deepEqual((await home.list()).filter((name) => name !== "codex-login"), []);
  assertNoSecrets(await home.textOutsideAuth(), issuer, login.authUrl);
});

test("a program's own store that fails ends the login, and what it threw is not told", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const store = createMemoryStore();
  const broken = { ...store, write: (text: string) => Promise.reject(new Error(text)) };
  const login = await startBrowserLogin({ ...signInOptions(home, issuer), store: broken });
  const steps = await visit(login.authUrl);
  assert.equal(steps.at(-1)?.reply.status, 500);
  assertNoSecrets(steps.at(-1)?.reply.body ?? "", issuer, login.authUrl);
  assert.equal((await failureOf(login.done, issuer, login.authUrl)).code, "SAVE_FAILED");
  assert.equal(await store.read(), undefined);
  await assertNothingKept(home, issuer);
});

test("a program's own fetch makes every call; one that is hostile ends the login and is not told", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const paths: string[] = [];
  const fetch: ForeignFetch = (url, init) => {
    paths.push(new URL(url).pathname);
    return globalThis.fetch(url, init);
  };
  const login = await startBrowserLogin({ ...signInOptions(home, issuer), fetch });
  await visit(login.authUrl);
  await login.done;
  await logout({ ...homeOptions(home), fetch });
  assert.deepEqual(paths.sort(), ["/oauth/revoke", "/oauth/token", "/oauth/token"]);

  const hostile: [string, ForeignFetch][] = [
    ["NETWORK", (url, { body }) => Promise.reject(new Error(`${url} ${body}`))],
    ["NETWORK", (url, { body }) => {
      throw Object.assign(new Error(body), { code: body, name: body, cause: url });
    }],
    ["NETWORK", () => Promise.resolve({} as Response)],
    ["RESPONSE_TOO_LARGE", () =>
      Promise.resolve(
        new Response(
          new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) }),
        ),
      )],
  ];
  for (const [code, fetch] of hostile) {
    await using empty = await createHome();
    const failing = await startBrowserLogin({ ...signInOptions(empty, issuer), fetch });
    const steps = await visit(failing.authUrl);
    assertNoSecrets(steps.at(-1)?.reply.body ?? "", issuer, failing.authUrl);
    assert.equal((await failureOf(failing.done, issuer, failing.authUrl)).code, code);
    await assertNothingKept(empty, issuer);
  }

  await using empty = await createHome();
  const asked = deferred<void>();
  const silent = await startBrowserLogin({
    ...signInOptions(empty, issuer),
    fetch: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const page = get(await obtainCallback(silent.authUrl));
  await asked.promise;
  silent.cancel();
  assert.equal((await failureOf(silent.done, issuer, silent.authUrl)).code, "CANCELED");
  assert.equal((await page).status, 409);
});

test("a token that an API refused is renewed once, for all who ask", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, 3_600);
  const refused = tokens["access_token"] ?? "";
  const options = homeOptions(home);
  assert.equal((await getAccessToken(options)).token, refused);
  const found = await Promise.all(
    Array.from({ length: 5 }, () => getAccessToken({ ...options, refused })),
  );
  assert.equal(new Set(found.map(({ token }) => token)).size, 1);
  assert.notEqual(found[0]?.token, refused);
  assert.equal(issuer.asked("refresh").length, 1);
  // Whoever comes later with the old one gets the new one, and nobody is asked.
  assert.equal((await getAccessToken({ ...options, refused })).token, found[0]?.token);
  assert.equal(issuer.asked("refresh").length, 1);
});

test("a token that was refused is never given again", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, 3_600);
  const before = await home.readAuth();
  issuer.misbehave.refresh = { status: 503 };
  const refused = tokens["access_token"] ?? "";
  const failed = await failureOf(getAccessToken({ ...homeOptions(home), refused }), issuer);
  assert.equal(failed.exitCode, 5);
  assert.equal(await home.readAuth(), before);

  await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: "sk-test-key" });
  const options = homeOptions(home);
  assert.equal((await getAccessToken(options)).authMode, "apikey");
  const key = await failureOf(getAccessToken({ ...options, refused: "sk-test-key" }));
  assert.equal(key.code, "REFRESH_REFUSED");
  const { env } = homeOptions(home, { CODEX_ACCESS_TOKEN: "sk-test-key" });
  assert.ok(await failureOf(getAccessToken({ ...options, env, refused: "sk-test-key" })));
});

test("settings, expected workspaces and the time limit decide as in the commands", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const options = signInOptions(home, issuer);
  const forced = { forced_login_method: "api" };
  assert.equal(
    (await failureOf(startBrowserLogin({ ...options, settings: forced }))).code,
    "LOGIN_METHOD_FORBIDDEN",
  );
  const odd = { forced_chatgpt_workspace_id: ['a"b\\c\nd', "two"] };
  const odder = await startBrowserLogin({ ...options, settings: odd });
  await visit(odder.authUrl);
  const mismatch = await failureOf(odder.done, issuer, odder.authUrl);
  assert.equal(mismatch.code, "WORKSPACE_MISMATCH");
  assert.ok(mismatch.reason?.includes('a"b\\c d, two'));
  const expecting = await startBrowserLogin({ ...options, expectedWorkspaceIds: ["other"] });
  await visit(expecting.authUrl);
  assert.equal((await failureOf(expecting.done, issuer)).code, "WORKSPACE_MISMATCH");
  const late = await startBrowserLogin({ ...options, timeoutMs: 5 });
  assert.equal((await failureOf(late.done, issuer)).code, "LOGIN_TIMEOUT");
  assert.equal(
    (await failureOf(startBrowserLogin({ ...options, settings: { "a=b": 1 } }))).code,
    "USAGE",
  );
  await assertNothingKept(home, issuer);
});

test("an option that is not understood is refused by its name, and its value is not told", async () => {
  await using home = await createHome();
  const own = homeOptions(home);
  const wrong: Record<string, unknown>[] = [
    { expectedWorkspaceID: ["sk-secret"] },
    { expectedWorkspaceIds: "sk-secret" },
    { port: 70_000 },
    { port: "1455" },
    { redirectHost: "sk-secret" },
    { timeoutMs: -1 },
    { timeoutMs: 2 ** 31 },
    { store: "sk-secret" },
    { store: { read: 1 } },
    { fetch: "sk-secret" },
    { signal: "sk-secret" },
    { originator: { name: "sk-secret\n", version: "1" } },
    { originator: { name: "", version: "1" } },
    { settings: { x: null } },
  ];
  for (const options of wrong) {
    const { code, message, reason } = await failureOf(startBrowserLogin({ ...own, ...options }));
    assert.equal(code, "USAGE");
    assert.ok(message.includes(Object.keys(options)[0] ?? ""), message);
    assert.ok(!`${message} ${reason}`.includes("sk-secret"), `${message} ${reason}`);
  }
  const issuer = { ...own, issuer: "http://issuer.test", port: 0 };
  assert.equal((await failureOf(startBrowserLogin(issuer))).code, "ISSUER_INVALID");
  assert.deepEqual(await home.list(), []);
});

test("a browser is opened only when that is asked for; notes that throw do no harm", {
  skip: process.platform === "win32" && "a shell script",
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using tools = await createHome();
  const [script, opened] = [join(tools.path, "browser"), join(tools.path, "opened")];
  await writeFile(script, `#!/bin/sh\necho "$1" >> ${opened}\nexit 3\n`);
  await chmod(script, 0o755);
  const options = {
    ...signInOptions(home, issuer),
    env: { ...homeOptions(home).env, BROWSER: script, DISPLAY: ":0" },
  };
  const quiet = await startBrowserLogin(options);
  const told = deferred<string>();
  const login = await startBrowserLogin({
    ...options,
    openBrowser: true,
    onNote(note): void {
      told.resolve(note);
      throw new Error("the host's own");
    },
  });
  assert.match(await told.promise, /^No browser could be opened .*ended with 3/);
  assert.equal((await readFile(opened, "utf8")).trim(), login.authUrl);
  for (const { done, cancel } of [quiet, login]) {
    cancel();
    assert.ok(await done.catch((thrown) => thrown) instanceof LoginError);
  }
});

test("a host whose server library replaced the global Response still gets its pages", async () => {
  await using issuer = await startIssuer();
  const { Request: ownRequest, Response: ownResponse } = globalThis;
  const { serve } = await import("@hono/node-server");
  const server = serve({ fetch: () => new Response("theirs"), hostname: "127.0.0.1", port: 0 });
  assert.notEqual(globalThis.Response, ownResponse);
  try {
    const login = await startBrowserLogin({
      issuer: issuer.url,
      port: 0,
      store: createMemoryStore(),
    });
    const steps = await visit(login.authUrl);
    assert.deepEqual(steps.map(({ reply }) => reply.status), [302, 303, 200]);
    assert.match(steps.at(-1)?.reply.body ?? "", /You are signed in/);
    await login.done;
  } finally {
    for (const [name, value] of Object.entries({ Request: ownRequest, Response: ownResponse })) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    await new Promise((resolve) => server.close(resolve));
  }
});
