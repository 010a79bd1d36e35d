import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { type CallbackAppOptions, type CallbackLogin, createCallbackApp } from "../src/mod.ts";
import { loadRuntime } from "../src/runtime/runtime.ts";
import { NAVIGATION, obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { ANSWERS, get, sendRaw } from "./testing/http_client.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { assertNothingKept, failureOf, homeOptions } from "./testing/library.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA, OLA } from "./testing/users.ts";

/** A host's own server on a real socket, with our app between its own routes. */
async function startHost(
  home: TestHome,
  issuer: TestIssuer,
  { prefix = "", ...options }: Partial<CallbackAppOptions> & { prefix?: string } = {},
): Promise<
  AsyncDisposable & { readonly login: CallbackLogin; readonly url: string; port: number }
> {
  const host = new Hono();
  const runtime = await loadRuntime();
  const server = await runtime.serve({
    hostname: "127.0.0.1",
    port: 0,
    // A host's server tells whom it likes, or nobody.
    handler: (request) => host.fetch(request, { peer: undefined }),
  });
  const login = await createCallbackApp({
    ...homeOptions(home),
    issuer: issuer.url,
    redirectUri: `http://127.0.0.1:${server.port}${prefix}/auth/callback`,
    ...options,
  });
  host.get("/before", (c) => c.text("the host's"));
  host.route(prefix === "" ? "/" : prefix, login.app);
  for (const path of ["/success", "/cancel", "/setup/x", "/auth/other"]) {
    host.all(path, (c) => c.text(`the host's ${c.req.method}`));
  }
  host.get("/broken", () => {
    throw new Error("the host's own fault");
  });
  host.notFound((c) => c.text("not here, says the host", 404));
  host.onError((_, c) => c.text("sorry, says the host", 500));
  return {
    login,
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: async () => {
      login.cancel();
      await login.done.catch(() => {});
      await server.stop({ force: true });
    },
  };
}

test("a login comes to an end on a host's own server, and the page does not say whose it is", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  for (const prefix of ["", "/sign-in/codex"]) {
    await using host = await startHost(home, issuer, { prefix });
    const steps = await visit(host.login.authUrl);
    assert.deepEqual(
      steps.map(({ url, reply }) => [new URL(url).pathname, reply.status]),
      [["/oauth/authorize", 302], [`${prefix}/auth/callback`, 303], [`${prefix}/success`, 200]],
    );
    const page = steps.at(-1)?.reply;
    assert.ok(!page?.body.includes(ADA.email) && !page?.body.includes("Analytical"));
    assert.equal(page?.headers["cache-control"], "no-store");
    assert.equal((await host.login.done).account.email, ADA.email);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    assertNoSecrets(
      steps.slice(2).map(({ url, reply }) => JSON.stringify([url, reply])).join(),
      issuer,
      host.login.authUrl,
    );
  }
});

test("the host's other routes stay its own, and nothing of it ends the login", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using host = await startHost(home, issuer);
  const { url, login } = host;
  const ask = async (path: string, method = "GET"): Promise<[number, string]> => {
    const { status, body } = await get(url + path, {
      method,
      headers: { origin: "https://x.test" },
    });
    return [status, body];
  };
  assert.deepEqual(await ask("/before"), [200, "the host's"]);
  assert.deepEqual(await ask("/success"), [200, "the host's GET"]);
  assert.deepEqual(await ask("/success", "POST"), [200, "the host's POST"]);
  assert.deepEqual(await ask("/setup/x"), [200, "the host's GET"]);
  assert.deepEqual(await ask("/auth/other"), [200, "the host's GET"]);
  assert.deepEqual(await ask("/nowhere"), [404, "not here, says the host"]);
  assert.deepEqual(await ask("/broken"), [500, "sorry, says the host"]);
  const cancel =
    `GET /cancel HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nConnection: close\r\n\r\n`;
  assert.match(await sendRaw(host.port, cancel, ANSWERS), /the host's GET/);

  // Our own paths are guarded as ever.
  assert.equal((await ask("/auth/callback"))[0], 403);
  assert.equal((await ask("/auth/callback", "POST"))[0], 405);
  assert.equal((await get(`${url}/auth/callback`, { headers: { host: "evil.test" } })).status, 421);
  assert.equal(
    (await get(`${url}/auth/callback`, { headers: { host: "127.0.0.1:1455" } })).status,
    421,
  );
  assert.equal((await get(`${url}/auth/callback?code=a&state=b`)).status, 400);
  await visit(login.authUrl);
  assert.equal((await login.done).account.email, ADA.email);
  // What there is to show is ours from then on.
  assert.equal((await ask("/success", "POST"))[0], 405);
});

test("where nobody tells who asks, no page leads on with a token", async () => {
  await using issuer = await startIssuer({ users: [OLA] });
  await using home = await createHome();
  const notes: string[] = [];
  await using host = await startHost(home, issuer, { onNote: (note) => void notes.push(note) });
  const steps = await visit(host.login.authUrl);
  const page = steps.at(-1)?.reply.body ?? "";
  assert.ok(!page.includes("/setup/") && !page.includes("org-setup"));
  await host.login.done;
  assert.ok(notes.some((note) => note.includes("not set up yet")));
});

test("a login that is canceled, denied or too late leaves what was stored, and the app answers on", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, 3_600);
  const before = await home.readAuth();

  await using canceled = await startHost(home, issuer);
  const callback = await obtainCallback(canceled.login.authUrl);
  canceled.login.cancel();
  const { authUrl, done } = canceled.login;
  assert.equal((await failureOf(done, issuer, authUrl)).code, "CANCELED");
  const page = await get(callback, { headers: NAVIGATION });
  assert.equal(page.status, 409);
  assertNoSecrets(page.body, issuer, authUrl);
  assert.deepEqual(issuer.asked("token"), []);

  await using late = await startHost(home, issuer, { timeoutMs: 5 });
  assert.equal((await failureOf(late.login.done, issuer)).code, "LOGIN_TIMEOUT");

  await using refused = await startHost(home, issuer);
  issuer.misbehave.token = { status: 400, body: '{"error":"invalid_grant"}' };
  const steps = await visit(refused.login.authUrl);
  assert.equal(steps.at(-1)?.reply.status, 502);
  assert.equal((await failureOf(refused.login.done, issuer)).code, "TOKEN_ENDPOINT");
  await assertNothingKept(home, issuer, before);
});

test("only an address on this machine that ends in /auth/callback can be redirected to", async () => {
  await using home = await createHome();
  const own = homeOptions(home);
  for (
    const redirectUri of [
      "https://127.0.0.1:3000/auth/callback",
      "http://example.com/auth/callback",
      "http://127.0.0.1.evil.test:3000/auth/callback",
      "http://user@127.0.0.1:3000/auth/callback",
      "http://127.0.0.1:3000/callback",
      "http://127.0.0.1:3000/auth/callback/",
      "http://127.0.0.1:3000/auth/callback?x=sk-secret",
      "http://127.0.0.1:3000/auth/callback#x",
      "http://127.0.0.1:3000//evil.test/auth/callback",
      "http://127.0.0.1:0/auth/callback",
      "HTTP://127.0.0.1:3000/auth/callback",
      "http://127.0.0.1:3000/a/../auth/callback",
      "/auth/callback",
      "",
    ]
  ) {
    const error = await failureOf(createCallbackApp({ ...own, redirectUri }));
    assert.equal(error.code, "USAGE", redirectUri);
    assert.ok(!error.reason?.includes("sk-secret"));
  }
  assert.deepEqual(await home.list(), []);
  const notes: string[] = [];
  for (
    const redirectUri of [
      "http://127.0.0.1:1455/auth/callback",
      "http://localhost/auth/callback",
      "http://[::1]:3000/a/b/auth/callback",
    ]
  ) {
    const onNote = (note: string): void => void notes.push(note);
    const login = await createCallbackApp({ ...own, redirectUri, onNote });
    assert.equal(new URL(login.authUrl).searchParams.get("redirect_uri"), redirectUri);
    login.cancel();
    await login.done.catch(() => {});
  }
  assert.equal(notes.filter((note) => note.includes("it may refuse")).length, 2);
});
