import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account } from "../src/account.ts";
import { type CallbackServer, createCallbackServer } from "../src/callback_server.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { TERMINAL } from "../src/pages.ts";
import { createAttempt } from "./testing/attempt.ts";
import { recordLog } from "./testing/recorded_log.ts";
import { verifies } from "./testing/verifies.ts";

const PORT = 1455;
const ACCOUNT: Account = {
  email: "ada@example.com",
  plan: "plus",
  accountId: "acct-1111",
  userId: "user-ada",
  workspaceName: "Analytical Engines",
};
const CANCEL = { host: `127.0.0.1:${PORT}`, connection: "close" };

type Completion = { account: Account; setupUrl: string | undefined };

async function createServer(
  { complete, mayCancel = true, audience = [40_000] }: {
    complete?: (code: string) => Promise<Completion>;
    mayCancel?: boolean | Promise<boolean>;
    /** The ports of those who may see the account before anybody is admitted. */
    audience?: number[];
  } = {},
): Promise<{
  server: CallbackServer;
  state: string;
  log: ReturnType<typeof recordLog>;
  codes: string[];
  ask(path: string, init?: RequestInit, peerPort?: number): Promise<Response>;
}> {
  const attempt = await createAttempt("https://auth.openai.com", PORT);
  const log = recordLog();
  const codes: string[] = [];
  const server = createCallbackServer(
    { log, randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    {
      attempt,
      port: PORT,
      complete(code): Promise<Completion> {
        codes.push(code);
        return complete?.(code) ?? Promise.resolve({ account: ACCOUNT, setupUrl: undefined });
      },
      mayCancel: () => Promise.resolve(mayCancel),
      landing: TERMINAL,
      audience: {
        admit: ({ port }) => Promise.resolve(void audience.push(port)),
        includes: ({ port }) => Promise.resolve(audience.includes(port)),
      },
    },
  );
  return {
    server,
    state: attempt.state,
    log,
    codes,
    ask: async (path, init = {}, peerPort = 40_000) =>
      await server.app.request(
        `http://127.0.0.1:${PORT}${path}`,
        { ...init, headers: { host: `127.0.0.1:${PORT}`, ...init.headers } },
        { peer: { address: "127.0.0.1", port: peerPort } },
      ),
  };
}

verifies("S25", "an address that nobody can parse is refused like any other", async () => {
  const { server, codes } = await createServer();
  for (const url of ["/auth/callback?code=c&state=s", "/x", "?", "", "http://s HTTP/1.1/?x", "*"]) {
    const request = new Request(`http://127.0.0.1:${PORT}/`, { headers: CANCEL });
    // No Request of ours can have one, but a server's own.
    Object.defineProperty(request, "url", { value: url });
    const response = await server.app.fetch(request, { peer: { address: "", port: 0 } });
    assert.equal(response.status, 421, url);
    assertHardened(response);
  }
  assert.ok(await isPending(server.completed));
  assert.deepEqual(codes, []);
});

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const marker = Symbol();
  return await Promise.race([promise.catch(() => {}), Promise.resolve(marker)]) === marker;
}

function assertHardened({ headers }: Response): void {
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("x-frame-options"), "DENY");
  assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
  assert.equal(headers.get("access-control-allow-origin"), null);
  assert.equal(headers.get("server"), null);
  const policy = headers.get("content-security-policy") ?? "";
  for (
    const part of [
      "default-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]
  ) {
    assert.ok(policy.includes(part), part);
  }
  assert.ok(!policy.includes("unsafe"));
}

verifies(
  "S18",
  "the right callback is exchanged, saved and only then sent to a clean address",
  async () => {
    const { server, state, codes, ask } = await createServer();
    const reply = await ask(`/auth/callback?code=c0de-1234&state=${state}`);
    assert.equal(reply.status, 303);
    assert.equal(reply.headers.get("location"), "/success");
    assertHardened(reply);
    assert.deepEqual(codes, ["c0de-1234"]);
    assert.deepEqual(await server.completed, {
      account: ACCOUNT,
      setupUrl: undefined,
      onboardingEntrypoint: undefined,
    });

    const page = await ask("/success");
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assertHardened(page);
    const html = await page.text();
    for (const shown of ["ada@example.com", "plus", "Analytical Engines", "close this tab"]) {
      assert.ok(html.includes(shown));
    }
    assert.ok(!html.includes("<script"));
    await server.pageServed;
  },
);

verifies(
  "S4",
  "wrong, missing, empty and repeated states get 400, say nothing, and the login goes on",
  async () => {
    const { server, state, codes, ask } = await createServer();
    for (
      const query of [
        "",
        "?code=c0de-1234",
        "?code=c0de-1234&state=",
        "?code=c0de-1234&state=WRONG",
        "?error=access_denied",
        "?error=access_denied&state=WRONG",
        `?code=c0de-1234&state=${state}&state=${state}`,
        `?code=a&code=b&state=${state}`,
        `?error=a&error=b&state=${state}`,
        `?code=a&iss=https://auth.openai.com&iss=https://auth.openai.com&state=${state}`,
      ]
    ) {
      const reply = await ask(`/auth/callback${query}`);
      assert.equal(reply.status, 400, query);
      assertHardened(reply);
      const html = await reply.text();
      assert.ok(!html.includes(state) && !html.includes("c0de-1234") && !html.includes("WRONG"));
      assert.ok(await isPending(server.completed), query);
    }
    assert.equal((await ask(`/auth/callback?code=c0de-1234&state=${state}`)).status, 303);
    assert.deepEqual(codes, ["c0de-1234"]);
  },
);

test("the onboarding suffix of a state is cut and reported", async () => {
  const { server, state, ask } = await createServer();
  await ask(`/auth/callback?code=c&state=${state}.onboarding_entrypoint=life_sciences`);
  assert.equal((await server.completed).onboardingEntrypoint, "life_sciences");
});

verifies(
  "S5",
  "an error with the right state ends the login with a proper page and status",
  async () => {
    const rows: [query: string, code: string, status: number][] = [
      ["error=access_denied", "ACCESS_DENIED", 403],
      ["error=access_denied&error_description=missing_codex_entitlement", "ENTITLEMENT", 403],
      ["error=server_error&error_description=Down", "AUTHORIZATION_FAILED", 400],
      ["", "AUTHORIZATION_CODE_MISSING", 400],
      ["code=c&iss=https://evil.test", "ISSUER_MISMATCH", 400],
    ];
    for (const [query, code, status] of rows) {
      const { server, state, codes, ask } = await createServer();
      const reply = await ask(`/auth/callback?${query}&state=${state}`);
      assert.equal(reply.status, status, query);
      assertHardened(reply);
      assert.ok((await reply.text()).includes(code));
      await assert.rejects(server.completed, { code });
      await server.pageServed;
      assert.deepEqual(codes, []);
      assert.equal((await ask("/success")).status, 404);
    }
  },
);

test("a failed exchange gives the error's own page, and the same one again", async () => {
  const error = new LoginError("TOKEN_ENDPOINT", "Refused", {
    reason: "HTTP 400, <b>bad</b> & worse",
  });
  const { server, state, codes, ask } = await createServer({
    complete: () => Promise.reject(error),
  });
  const callback = `/auth/callback?code=c&state=${state}`;
  const first = await ask(callback);
  assert.equal(first.status, 502);
  const html = await first.text();
  assert.ok(html.includes("HTTP 400, &lt;b&gt;bad&lt;/b&gt; &amp; worse"));
  await assert.rejects(server.completed, error);
  const second = await ask(callback);
  assert.equal(second.status, 502);
  assert.equal(await second.text(), html);
  assert.equal(codes.length, 1);
});

test("an unexpected failure is a bug on the page, without its text", async () => {
  const { server, state, ask } = await createServer({
    complete: () => Promise.reject(new Error("token=abc")),
  });
  const reply = await ask(`/auth/callback?code=c&state=${state}`);
  assert.equal(reply.status, 500);
  assert.ok(!(await reply.text()).includes("abc"));
  await assert.rejects(server.completed, { code: "INTERNAL" });
});

verifies(
  "S3",
  "two right callbacks at once make one exchange and get the same answer; others are answered meanwhile",
  async () => {
    const exchange = deferred<Completion>();
    const { server, state, codes, ask } = await createServer({ complete: () => exchange.promise });
    const callback = `/auth/callback?code=c&state=${state}`;
    const both = [ask(callback), ask(callback)];
    assert.equal((await ask("/success")).status, 404);
    assert.equal((await ask("/nothing")).status, 404);
    assert.equal((await ask("/auth/callback?state=WRONG")).status, 400);
    // A state is compared by its hash, which a thread works out.
    while (codes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await ask("/cancel", { headers: CANCEL })).status, 409);
    assert.equal(server.end(new LoginError("LOGIN_TIMEOUT", "x")), false);
    exchange.resolve({ account: ACCOUNT, setupUrl: undefined });
    for (const reply of await Promise.all(both)) {
      assert.equal(reply.status, 303);
      assert.equal(reply.headers.get("location"), "/success");
    }
    assert.equal((await ask(callback)).status, 303);
    assert.equal((await ask(`/auth/callback?code=other&state=${state}`)).status, 303);
    assert.deepEqual(codes, ["c"]);
    await server.completed;
  },
);

test("an organization without set-up gets a countdown and a one-time way to the issuer's page", async () => {
  const setupUrl = "https://platform.openai.com/org-setup?p=plus&t=ID.TOKEN.HERE";
  const { server, state, ask } = await createServer({
    complete: () => Promise.resolve({ account: ACCOUNT, setupUrl }),
  });
  await ask(`/auth/callback?code=c&state=${state}`);
  const page = await ask("/success");
  assertHardened(page);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /script-src 'sha256-[A-Za-z0-9+/=]{44}'/,
  );
  const html = await page.text();
  assert.ok(!html.includes("ID.TOKEN.HERE"));
  const [path = ""] = /\/setup\/[\w-]{22}/.exec(html) ?? [];
  assert.equal((await ask("/setup/guess")).status, 404);
  assert.ok(await isPending(server.setupFollowed));
  const go = await ask(path);
  assert.equal(go.status, 303);
  assert.equal(go.headers.get("location"), setupUrl);
  assert.equal(go.headers.get("referrer-policy"), "no-referrer");
  await server.setupFollowed;
  assert.equal((await ask(path)).status, 404);
});

verifies(
  "S17",
  "/success and the set-up answer 404 until there is a login, and never make one",
  async () => {
    const { server, codes, ask } = await createServer();
    for (let i = 0; i < 3; i++) assert.equal((await ask("/success")).status, 404);
    assert.ok(await isPending(server.completed));
    assert.deepEqual(codes, []);
  },
);

verifies(
  ["S14", "S15", "S16", "S19"],
  "unknown paths get 404, other methods 405, other hosts 421, pages' requests 403: all hardened",
  async () => {
    const { server, state, ask } = await createServer();
    const callback = `/auth/callback?code=c&state=${state}`;
    const rows: [path: string, init: RequestInit, status: number][] = [
      ["/", {}, 404],
      ["/auth/callback/", {}, 404],
      ["/setup/", {}, 404],
      [callback, { method: "POST" }, 405],
      [callback, { method: "HEAD" }, 405],
      [callback, { method: "OPTIONS" }, 405],
      [callback, { headers: { host: "evil.test" } }, 421],
      [callback, { headers: { origin: "https://evil.test" } }, 403],
      [callback, { headers: { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" } }, 403],
      [callback, { headers: { "sec-purpose": "prefetch" } }, 403],
    ];
    for (const [path, init, status] of rows) {
      const reply = await ask(path, init);
      assert.equal(reply.status, status, `${path} ${JSON.stringify(init)}`);
      assertHardened(reply);
      if (status === 405) assert.equal(reply.headers.get("allow"), "GET");
    }
    assert.ok(await isPending(server.completed));
  },
);

verifies(
  "S17",
  "/cancel is obeyed with the reference's two headers from this user only",
  async () => {
    const browserLike: Record<string, string>[] = [
      { ...CANCEL, "user-agent": "Mozilla" },
      { ...CANCEL, accept: "*/*" },
      { ...CANCEL, referer: "https://evil.test" },
      { host: CANCEL.host },
    ];
    for (const headers of browserLike) {
      const { server, ask } = await createServer();
      assert.equal((await ask("/cancel", { headers })).status, 403);
      assert.ok(await isPending(server.completed));
    }
    const stranger = await createServer({ mayCancel: false });
    assert.equal((await stranger.ask("/cancel", { headers: CANCEL })).status, 403);
    assert.ok(await isPending(stranger.server.completed));

    const { server, state, codes, ask } = await createServer();
    assert.equal((await ask("/cancel", { headers: CANCEL })).status, 200);
    await assert.rejects(server.completed, { code: "SUPERSEDED" });
    assert.equal((await ask(`/auth/callback?code=c&state=${state}`)).status, 409);
    assert.deepEqual(codes, []);
  },
);

test("who signed in, and the way on with a token, are shown to whoever brought the callback, and to nobody else", async () => {
  const setupUrl = "https://platform.openai.com/x";
  const { server, state, ask } = await createServer({
    audience: [],
    complete: () => Promise.resolve({ account: ACCOUNT, setupUrl }),
  });
  const callback = `/auth/callback?code=c&state=${state}`;
  assert.equal((await ask(callback, {}, 1)).status, 303);
  // Who repeats the callback brought nothing new.
  assert.equal((await ask(callback, {}, 2)).status, 303);
  const page = await ask("/success", {}, 2);
  assert.equal(page.status, 404);
  assert.ok(!(await page.text()).includes("ada"));
  assert.ok(await isPending(server.pageServed));

  const shown = await ask("/success", {}, 1);
  assert.equal(shown.status, 200);
  const [setup = ""] = /\/setup\/[\w-]{22}/.exec(await shown.text()) ?? [];
  assert.equal((await ask(setup, {}, 2)).status, 404);
  assert.equal((await ask(setup, {}, 1)).headers.get("location"), setupUrl);
});

test("asking to give way is judged one at a time", async () => {
  const judgement = deferred<boolean>();
  const { server, ask } = await createServer({ mayCancel: judgement.promise });
  const first = ask("/cancel", { headers: CANCEL });
  for (let i = 0; i < 3; i++) assert.equal((await ask("/cancel", { headers: CANCEL })).status, 403);
  judgement.resolve(false);
  assert.equal((await first).status, 403);
  assert.ok(await isPending(server.completed));
});

verifies(
  "S24",
  "a flood of foreign callbacks leaves a few lines in the log, and the right one is still told",
  async () => {
    const { state, log, ask } = await createServer();
    for (let i = 0; i < 200; i++) await ask("/auth/callback?state=WRONG");
    assert.equal(log.lines.length, 41);
    assert.equal(log.lines.at(-1)?.message, "further foreign callbacks are not logged");
    await ask(`/auth/callback?code=c&state=${state}`);
    assert.equal(log.lines.at(-1)?.fields.state_valid, true);
  },
);

verifies("S64", "the log tells what came and never what was in it", async () => {
  const { state, log, ask } = await createServer();
  await ask("/auth/callback?code=c0de-1234&state=WRONG-STATE");
  await ask(`/auth/callback?code=a&code=b&state=${state}`);
  await ask(
    `/auth/callback?error=Dear+admin,+ada@example.com+is+blocked&error_description=words&state=${state}`,
  );
  await ask(`/auth/callback?error=access_denied&state=${state}`);
  const parts = { path: "/auth/callback", has_state: true };
  assert.deepEqual(log.lines, [
    {
      message: "received login callback",
      fields: { ...parts, has_code: true, has_error: false, state_valid: false },
    },
    {
      message: "login callback state mismatch",
      fields: { ...parts, has_code: true, has_error: false },
    },
    {
      message: "received login callback",
      fields: { ...parts, has_code: true, has_error: false, state_valid: false },
    },
    {
      message: "login callback repeated parameter",
      fields: { ...parts, has_code: true, has_error: false },
    },
    {
      message: "received login callback",
      fields: { ...parts, has_code: false, has_error: true, state_valid: true },
    },
    {
      message: "oauth callback returned error",
      fields: { error_code: "other", has_error_description: true },
    },
    {
      message: "received login callback",
      fields: { ...parts, has_code: false, has_error: true, state_valid: true },
    },
    {
      message: "oauth callback returned error",
      fields: { error_code: "access_denied", has_error_description: false },
    },
  ]);
});

test("a code that is tried decides only when it is right, and everything else waits for that", async () => {
  const refused = new LoginError("TOKEN_ENDPOINT", "refused", { status: 400 });
  const trial = deferred<Completion>();
  const tried: string[] = [];
  const { server, state, ask } = await createServer({
    complete: (code) => {
      tried.push(code);
      return code === "tried"
        ? trial.promise
        : Promise.resolve({ account: ACCOUNT, setupUrl: undefined });
    },
  });
  const trying = server.tryCode("tried");
  const page = ask(`/auth/callback?code=right&state=${state}`);
  trial.reject(refused);
  assert.equal(await trying, false);
  assert.equal((await page).status, 303);
  assert.equal((await server.completed).account, ACCOUNT);
  assert.deepEqual(tried, ["tried", "right"]);
  assert.equal(await server.tryCode("late"), true);
  assert.deepEqual(tried.length, 2);

  const other = await createServer({
    complete: (code) =>
      code === "wrong"
        ? Promise.reject(refused)
        : Promise.resolve({ account: ACCOUNT, setupUrl: undefined }),
  });
  assert.equal(await other.server.tryCode("wrong"), false);
  assert.equal(await other.server.tryCode("good"), true);
  assert.equal((await other.server.completed).account, ACCOUNT);

  // A time limit or a signal meanwhile ends what is not saved.
  const last = deferred<Completion>();
  const third = await createServer({ complete: () => last.promise });
  const late = third.server.tryCode("tried");
  assert.equal(third.server.end(new LoginError("LOGIN_TIMEOUT", "over")), true);
  last.reject(refused);
  await late;
  await assert.rejects(third.server.completed, { code: "LOGIN_TIMEOUT" });
});
