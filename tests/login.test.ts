import assert from "node:assert/strict";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sleep } from "../src/system_world.ts";
import { EARLY_MS } from "../src/login.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { loadRuntime } from "../src/runtime/runtime.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import {
  type IssuerOptions,
  type Misbehaviour,
  startIssuer,
  type TestIssuer,
} from "./testing/issuer.ts";
import { signJwt } from "./testing/jwt.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { holdLock } from "./testing/lock_holder.ts";
import { type LoginRun, startLogin } from "./testing/login_run.ts";
import { occupy } from "./testing/occupant.ts";
import { obtainCallbackByTls, TLS, trustingFetch } from "./testing/tls.ts";
import { missingTool } from "./testing/tools.ts";
import { ADA, BOB, OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const OLD_KEY = { auth_mode: "apikey", OPENAI_API_KEY: "sk-old-key-0123456789", mine: [1] };

/** Does not wait between tries, nor for a click that nobody makes. */
const IMPATIENT = {
  sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
    sleep([500, 1_500, 15_000].includes(ms) ? 1 : ms, signal),
};

async function assertFailed(
  run: LoginRun,
  issuer: TestIssuer,
  code: string,
  exitCode: number,
): Promise<void> {
  assert.equal(await run.exitCode, exitCode, run.world.words.join("\n"));
  const words = run.world.words.join("\n");
  assert.ok(words.includes(`error[${code}]: `), words);
  const withoutAddress = run.world.words.filter((line) => !line.startsWith(issuer.url)).join("\n");
  assertNoSecrets(withoutAddress, issuer, await run.authUrl.catch(() => undefined));
}

test("login() signs in, saves, revokes nothing and shows the page without a secret", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await home.writeAuth(OLD_KEY);
  const run = await startLogin(home, issuer);
  const authUrl = await run.authUrl;
  assert.deepEqual(run.world.launched.map((command) => command.at(-1)), [authUrl]);

  const steps = await visit(authUrl);
  assert.deepEqual(steps.map(({ reply }) => reply.status), [302, 303, 200]);
  assert.equal(steps[2]?.url, `http://127.0.0.1:${await run.port()}/success`);
  assert.equal(await run.exitCode, 0);

  const file = await home.authJson();
  const tokens = file["tokens"] as Record<string, unknown>;
  assert.deepEqual(Object.keys(file), [
    "auth_mode",
    "OPENAI_API_KEY",
    "tokens",
    "last_refresh",
    "mine",
  ]);
  assert.deepEqual(Object.keys(tokens), [
    "id_token",
    "access_token",
    "refresh_token",
    "oauth_provenance",
    "login_owner_id",
    "account_id",
  ]);
  assert.equal(file["auth_mode"], "chatgpt");
  assert.match(String(file["OPENAI_API_KEY"]), /^sk-test_/);
  assert.deepEqual(tokens["oauth_provenance"], {
    issuer: issuer.url,
    client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
  });
  assert.match(String(tokens["login_owner_id"]), /^[\w-]{43}$/);
  assert.equal(tokens["account_id"], "acct-1111");
  assert.match(String(file["last_refresh"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  assert.ok(issuer.liveRefreshTokens.has(String(tokens["refresh_token"])));
  assert.equal(await home.mode("auth.json"), "600");

  assert.ok(
    run.world.words.includes(
      "Signed in as ada@example.com (plan plus, workspace Analytical Engines).",
    ),
  );
  assert.deepEqual(run.world.data, []);
  const seen = [
    ...run.world.words.filter((line) => line !== authUrl),
    steps[2]?.reply.body,
    JSON.stringify(steps[2]?.reply.headers),
    JSON.stringify(steps[1]?.reply.headers),
    await home.textOutsideAuth(),
  ].join("\n");
  assertNoSecrets(seen, issuer, authUrl);
});

verifies(
  ["S7", "S12"],
  "login() sends what the reference sends, in its order and with its headers",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const run = await startLogin(home, issuer);
    const authUrl = await run.authUrl;
    await visit(authUrl);
    await run.exitCode;
    const redirectUri = new URL(authUrl).searchParams.get("redirect_uri") ?? "";
    const [exchange] = issuer.asked("token");
    assert.ok(exchange);
    const form = new URLSearchParams(exchange.body);
    assert.deepEqual([...form.keys()], [
      "grant_type",
      "client_id",
      "code",
      "redirect_uri",
      "code_verifier",
    ]);
    assert.equal(form.get("redirect_uri"), redirectUri);
    assert.deepEqual(exchange.rawHeaders.filter((_, i) => i % 2 === 0), [
      "content-type",
      "accept",
      "host",
      "content-length",
    ]);
    assert.equal(issuer.asked("apiKey").length, 1);
  },
);

test("login() goes on after a wrong state, and is done on the callback even if nobody follows the redirect", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer, [], IMPATIENT);
  const callback = await obtainCallback(await run.authUrl);
  for (const wrong of [callback.replace(/state=[^&]+/, "state=WRONG"), `${callback}&state=again`]) {
    assert.equal((await get(wrong)).status, 400);
  }
  assert.equal(issuer.asked("token").length, 0);
  assert.equal((await get(callback)).status, 303);
  assert.equal(await run.exitCode, 0);
  assert.equal(issuer.asked("token").length, 1);
});

verifies(
  "S3",
  "login() with two right callbacks at once exchanges the code once, and answers others meanwhile",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const gate = deferred<void>();
    issuer.misbehave.token = { after: gate.promise };
    const run = await startLogin(home, issuer);
    const callback = await obtainCallback(await run.authUrl);
    const both = [get(callback), get(callback)];
    assert.equal((await get(new URL("/success", callback).href)).status, 404);
    gate.resolve();
    assert.deepEqual((await Promise.all(both)).map(({ status }) => status), [303, 303]);
    await get(new URL("/success", callback).href);
    assert.equal(await run.exitCode, 0);
    assert.equal(issuer.asked("token").length, 1);
  },
);

test("login() that the person denies ends with the reason, and leaves the old login as it was", async () => {
  await using issuer = await startIssuer({ users: [] });
  await using home = await createHome();
  await home.writeAuth(OLD_KEY);
  const before = await home.readAuth();
  const run = await startLogin(home, issuer);
  const steps = await visit(await run.authUrl);
  assert.equal(steps.at(-1)?.reply.status, 403);
  await assertFailed(run, issuer, "ACCESS_DENIED", 1);
  assert.ok(run.world.words.includes("  cause: access_denied: The person said no"));
  assert.match(
    run.world.words.at(-1) ?? "",
    /^ {2}note: {2}your earlier login is untouched; reference [a-z2-7]{8}$/,
  );
  assert.equal(await home.readAuth(), before);
});

const TOKEN_FAILURES: [
  name: string,
  wrong: Misbehaviour,
  code: string,
  exitCode: number,
  page: number,
][] = [
  ["400 JSON", { status: 400, body: '{"error":"invalid_grant"}' }, "TOKEN_ENDPOINT", 1, 502],
  [
    "400 nested",
    { status: 400, body: '{"error":{"code":"x","message":"y"}}' },
    "TOKEN_ENDPOINT",
    1,
    502,
  ],
  [
    "500 HTML",
    { status: 500, body: "<html>", headers: { "content-type": "text/html" } },
    "ISSUER_FAULT",
    1,
    502,
  ],
  [
    "redirect",
    { status: 307, headers: { location: "http://127.0.0.1:1/" } },
    "TOKEN_ENDPOINT",
    1,
    502,
  ],
  ["malformed", { status: 200, body: "{" }, "TOKEN_RESPONSE_INVALID", 1, 502],
  [
    "HTML with 200",
    { status: 200, body: "{}", headers: { "content-type": "text/html" } },
    "CAPTIVE_PORTAL",
    5,
    502,
  ],
  ["reset", { reset: true }, "CONNECTION_RESET", 5, 502],
  ["huge", { status: 200, body: "x".repeat(2 << 20) }, "RESPONSE_TOO_LARGE", 1, 502],
  ...["id_token", "access_token", "refresh_token"].map(
    (name): [string, Misbehaviour, string, number, number] => [
      `no ${name}`,
      { change: ({ [name]: _, ...rest }) => rest },
      "TOKEN_RESPONSE_INVALID",
      1,
      502,
    ],
  ),
  [
    "mac token",
    { change: (answer) => ({ ...answer, token_type: "mac" }) },
    "TOKEN_RESPONSE_INVALID",
    1,
    502,
  ],
  [
    "alg none",
    { change: (answer) => ({ ...answer, id_token: signJwt({}, { alg: "none" }) }) },
    "ID_TOKEN_INVALID",
    1,
    502,
  ],
  [
    "another issuer",
    { change: (answer) => ({ ...answer, id_token: signJwt({ iss: "https://evil.test" }) }) },
    "ID_TOKEN_INVALID",
    1,
    502,
  ],
];

test("login() tells every failure of the token endpoint on page and terminal, and saves nothing", async (t) => {
  for (const [name, wrong, code, exitCode, page] of TOKEN_FAILURES) {
    await t.test(name, async () => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await home.writeAuth(OLD_KEY);
      const before = await home.readAuth();
      issuer.misbehave.token = wrong;
      const run = await startLogin(home, issuer);
      const steps = await visit(await run.authUrl);
      assert.equal(steps.at(-1)?.reply.status, page);
      assert.ok(steps.at(-1)?.reply.body.includes(code));
      assertNoSecrets(steps.at(-1)?.reply.body ?? "", issuer, await run.authUrl);
      await assertFailed(run, issuer, code, exitCode);
      assert.equal(await home.readAuth(), before);
      assert.equal(issuer.asked("token").length, 1);
      assert.equal(issuer.asked("revoke").length, 0);
    });
  }
});

verifies(
  "S35",
  "login() tries a code again only when the request provably did not leave",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    let failures = 2;
    const { createFetch } = await import("../src/http.ts");
    const real = createFetch();
    const run = await startLogin(home, issuer, [], {
      ...IMPATIENT,
      fetch: (url, init) => {
        if (url.endsWith("/oauth/token") && failures-- > 0) {
          return Promise.reject(new LoginError("CONNECT_REFUSED", "No", { requestSent: false }));
        }
        return real(url, init);
      },
    });
    await visit(await run.authUrl);
    assert.equal(await run.exitCode, 0);
    assert.equal(run.world.words.filter((line) => line.includes("trying again")).length, 2);
  },
);

test("login() gives up when the issuer stays out of reach", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer, [], IMPATIENT);
  const callback = await obtainCallback(await run.authUrl);
  await issuer[Symbol.asyncDispose]();
  assert.equal((await get(callback)).status, 502);
  await assertFailed(run, issuer, "CONNECT_REFUSED", 5);
  assert.deepEqual(await home.list().then((names) => names.includes("auth.json")), false);
});

verifies(
  "S37",
  "login() at an https issuer demands an ID token that is this issuer's, for us and of now",
  async () => {
    const rows: [claims: Record<string, unknown>, code: string | undefined][] = [
      [{}, undefined],
      [{ iss: "https://evil.test" }, "ID_TOKEN_INVALID"],
      [{ iss: undefined }, "ID_TOKEN_INVALID"],
      [{ aud: ["another-client"] }, "ID_TOKEN_INVALID"],
      [{ exp: 1 }, "ID_TOKEN_INVALID"],
    ];
    for (const [claims, code] of rows) {
      await using issuer = await startIssuer({
        tls: TLS,
        idTokenClaims: (same) => ({ ...same, ...claims }),
      });
      await using home = await createHome();
      const run = await startLogin(home, issuer, [], { fetch: trustingFetch });
      const steps = await visit(await obtainCallbackByTls(await run.authUrl));
      if (code === undefined) {
        assert.equal(await run.exitCode, 0, run.world.words.join("\n"));
        continue;
      }
      assert.equal(steps.at(-1)?.reply.status, 502);
      await assertFailed(run, issuer, code, 1);
      assert.ok(!(await home.list()).includes("auth.json"));
    }
  },
);

test("login() at an issuer whose certificate nobody vouches for sends it no code", async () => {
  await using issuer = await startIssuer({ tls: TLS });
  await using home = await createHome();
  const run = await startLogin(home, issuer, [], IMPATIENT);
  const callback = await obtainCallbackByTls(await run.authUrl);
  assert.equal((await get(callback)).status, 502);
  await assertFailed(run, issuer, "TLS_UNTRUSTED", 5);
  assert.equal(issuer.asked("token").length, 0);
});

verifies(
  ["S47", "S48"],
  "login() whose result cannot be saved says so on the page, and leaves what was there",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const run = await startLogin(home, issuer);
    const callback = await obtainCallback(await run.authUrl);
    // After the proof that the store can take it, somebody puts a folder in the file's place.
    await mkdir(home.authPath);
    const page = await get(callback);
    assert.equal(page.status, 500);
    assert.match(page.body, /SAVE_FAILED/);
    await assertFailed(run, issuer, "SAVE_FAILED", 3);
    assert.ok((await stat(home.authPath)).isDirectory());
  },
);

test("login() refuses another workspace before anything is saved", async () => {
  for (
    const args of [["--expect-workspace", "acct-9"], ["-c", "forced_chatgpt_workspace_id=acct-9"]]
  ) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const run = await startLogin(home, issuer, args);
    const authUrl = await run.authUrl;
    assert.ok(authUrl.endsWith("&allowed_workspace_id=acct-9"));
    assert.equal((await visit(authUrl)).at(-1)?.reply.status, 403);
    await assertFailed(run, issuer, "WORKSPACE_MISMATCH", 1);
    assert.ok(!(await home.list()).includes("auth.json"));
    assert.equal(issuer.asked("apiKey").length, 0);
  }
});

test("login() needs no API key: without one it is just as good", async () => {
  for (const wrong of [{ status: 400, body: "{}" }, { reset: true }]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    issuer.misbehave.apiKey = wrong;
    const run = await startLogin(home, issuer);
    await visit(await run.authUrl);
    assert.equal(await run.exitCode, 0);
    assert.equal((await home.authJson())["OPENAI_API_KEY"], null);
  }
});

test("login() saves before the API key comes, and adds the key when it does", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const gate = deferred<void>();
  issuer.misbehave.apiKey = { after: gate.promise };
  const run = await startLogin(home, issuer);
  await visit(await run.authUrl);
  assert.equal((await home.authJson())["OPENAI_API_KEY"], null);
  gate.resolve();
  assert.equal(await run.exitCode, 0);
  assert.match(String((await home.authJson())["OPENAI_API_KEY"]), /^sk-test_/);
});

test("login() gives a late API key only to the login it was made for", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const gate = deferred<void>();
  issuer.misbehave.apiKey = { after: gate.promise };
  const run = await startLogin(home, issuer);
  await visit(await run.authUrl);
  await home.writeAuth(OLD_KEY);
  gate.resolve();
  assert.equal(await run.exitCode, 0);
  assert.deepEqual(await home.authJson(), OLD_KEY);
});

async function signIn(
  home: Parameters<typeof startLogin>[0],
  issuer: TestIssuer,
): Promise<LoginRun> {
  const run = await startLogin(home, issuer);
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0, run.world.words.join("\n"));
  return run;
}

verifies(
  "S48",
  "login() revokes another user's earlier login at its own issuer, after the new one is saved",
  async () => {
    await using bobs = await startIssuer({ users: [BOB] });
    await using adas = await startIssuer({ users: [ADA] });
    await using home = await createHome();
    await signIn(home, bobs);
    const run = await signIn(home, adas);
    assert.equal(bobs.asked("revoke").length, 1);
    assert.equal(bobs.liveRefreshTokens.size, 0);
    assert.equal(adas.asked("revoke").length, 0);
    assert.ok(run.world.words.includes("The earlier login of bob@example.com was revoked."));

    await using broken = await startIssuer({ users: [BOB] });
    broken.misbehave.revoke = { status: 500 };
    await using other = await createHome();
    await signIn(other, broken);
    const words = (await signIn(other, adas)).world.words.join("\n");
    assert.match(
      words,
      /The earlier login of bob@example\.com could not be revoked \(TOKEN_ENDPOINT\)/,
    );
  },
);

test("login() tells what became of the earlier login, also when its issuer is slow or it says nothing", async () => {
  await using bobs = await startIssuer({ users: [BOB] });
  await using adas = await startIssuer({ users: [ADA] });
  await using home = await createHome();
  await signIn(home, bobs);
  bobs.misbehave.revoke = { hang: true };
  const slow = await startLogin(home, adas, [], {
    sleep: (ms, signal) => sleep(ms === 4_500 ? 50 : ms, signal),
  });
  await visit(await slow.authUrl);
  assert.equal(await slow.exitCode, 0);
  assert.match(
    slow.world.words.join("\n"),
    /bob@example\.com could not be revoked \(RESPONSE_TIMEOUT\)/,
  );

  const file = await home.authJson();
  (file["tokens"] as Record<string, unknown>)["id_token"] = signJwt({
    email: "nobody@example.com",
  });
  await home.writeAuth(file);
  const nameless = await signIn(home, adas);
  assert.match(
    nameless.world.words.join("\n"),
    /does not say whose it was; its tokens are left to expire/,
  );
  assert.equal(adas.asked("revoke").length, 0);
});

test("login() takes one name at two issuers for two users", async () => {
  await using first = await startIssuer({ users: [ADA] });
  await using second = await startIssuer({ users: [ADA] });
  await using home = await createHome();
  await signIn(home, first);
  await signIn(home, second);
  assert.equal(first.asked("revoke").length, 1);
});

test("login() leaves the same user's earlier login to expire", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const run = await signIn(home, issuer);
  assert.equal(issuer.asked("revoke").length, 0);
  assert.equal(issuer.liveRefreshTokens.size, 2);
  assert.ok(run.world.words.join("\n").includes("left to expire"));
});

test("login() leads the owner of a new organization to its set-up, once, and waits for that click", async () => {
  await using issuer = await startIssuer({ users: [OLA] });
  await using home = await createHome();
  const run = await startLogin(home, issuer);
  const [, , page] = await visit(await run.authUrl);
  const [path = ""] = /\/setup\/[\w-]{22}/.exec(page?.reply.body ?? "") ?? [];
  const go = await get(new URL(path, page?.url).href);
  assert.equal(go.status, 303);
  const target = new URL(String(go.headers["location"]));
  assert.equal(target.origin + target.pathname, "https://platform.api.openai.org/org-setup");
  assert.deepEqual([...target.searchParams.keys()], ["p", "t", "with_org", "project_id"]);
  assert.equal(target.searchParams.get("p"), "business");
  assert.equal(target.searchParams.get("with_org"), "org-acct-3333");
  assert.equal(await run.exitCode, 0);

  await using elsewhere = await createHome();
  const unclicked = await startLogin(elsewhere, issuer, [], IMPATIENT);
  await visit(await unclicked.authUrl);
  assert.equal(await unclicked.exitCode, 0);
});

verifies("S26", "login() ends by itself when nobody comes", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer, ["--timeout", "50ms"]);
  await assertFailed(run, issuer, "LOGIN_TIMEOUT", 6);
  assert.ok(!(await home.list()).includes("auth.json"));
});

test("login() that is told to end frees the port and leaves the old login; once saved it is done", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await home.writeAuth(OLD_KEY);
  const before = await home.readAuth();
  const codes = [["INTERRUPTED", 130], ["TERMINATED", 143], ["HANGUP", 129]] as const;
  for (const [code, exitCode] of codes) {
    const waiting = await startLogin(home, issuer);
    const port = await waiting.port();
    waiting.world.end(new LoginError(code, "Ended"));
    await assertFailed(waiting, issuer, code, exitCode);
    await assert.rejects(get(`http://127.0.0.1:${port}/`), { code: "ECONNREFUSED" });
  }
  const gate = deferred<void>();
  issuer.misbehave.token = { after: gate.promise };
  const exchanging = await startLogin(home, issuer);
  const reply = get(await obtainCallback(await exchanging.authUrl));
  while (issuer.asked("token").length === 0) await sleep(5);
  exchanging.world.end(new LoginError("INTERRUPTED", "Ended"));
  await assertFailed(exchanging, issuer, "INTERRUPTED", 130);
  await reply.catch(() => {});
  gate.resolve();
  delete issuer.misbehave.token;
  assert.equal(await home.readAuth(), before);

  const saved = await startLogin(home, issuer);
  await get(await obtainCallback(await saved.authUrl));
  saved.world.end(new LoginError("INTERRUPTED", "Ended"));
  assert.equal(await saved.exitCode, 0);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  assert.ok(!(await readdir(home.path)).some((name) => name.endsWith(".tmp")));
});

test("login() tells programs in JSON lines, and people on stderr", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer, ["--json", "--no-browser"]);
  while (run.world.data.length === 0) await sleep(5);
  const waiting = JSON.parse(run.world.data[0] ?? "");
  assert.deepEqual(Object.keys(waiting), ["event", "authUrl", "port"]);
  await visit(waiting.authUrl);
  assert.equal(await run.exitCode, 0);
  assert.deepEqual(JSON.parse(run.world.data[1] ?? ""), {
    event: "completed",
    account: { email: "ada@example.com", plan: "plus", accountId: "acct-1111", userId: "user-ada" },
    store: "file",
    path: home.authPath,
  });
  assert.deepEqual(run.world.launched, []);

  const failing = await startLogin(home, issuer, ["--json", "--timeout", "20ms"]);
  assert.equal(await failing.exitCode, 6);
  const failed = JSON.parse(failing.world.data.at(-1) ?? "");
  assert.equal(failed.event, "failed");
  assert.deepEqual(Object.keys(failed.error), ["code", "message", "cause", "hint"]);
});

test("login() refuses what the settings forbid, before a browser opens", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const rows: [string[], string, number][] = [
    [["-c", "forced_login_method=api"], "LOGIN_METHOD_FORBIDDEN", 1],
    [["-c", "cli_auth_credentials_store=ephemeral"], "STORE_UNSUPPORTED", 3],
    [["-c", "cli_auth_credentials_store=keyring"], "KEYRING_UNAVAILABLE", 3],
    [["-c", "forced_chatgpt_workspace_id=a", "--expect-workspace", "b"], "USAGE", 2],
  ];
  for (const [args, code, exitCode] of rows) {
    const run = await startLogin(home, issuer, args);
    await assertFailed(run, issuer, code, exitCode);
    assert.deepEqual(run.world.launched, []);
  }
  assert.equal(issuer.requests.length, 0);
});

verifies("S39", "login() takes the clock's error for what it is, and says so", async () => {
  const years = 3 * 365 * 86_400_000;
  const tls: IssuerOptions = {};
  await using issuer = await startIssuer(tls);
  await using home = await createHome();
  const run = await startLogin(home, issuer, [], { now: () => Date.now() + years });
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0);
  assert.ok(run.world.words.join("\n").includes("clock is 1095 days ahead of"));
});

test("login() says that a browser could not be opened, and goes on", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer, ["--browser", "no-such-browser"], {
    launch: () => Promise.resolve("not found"),
  });
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0);
  assert.ok(
    run.world.words.join("\n").includes("No browser could be opened (no-such-browser: not found)"),
  );
});

/** The rows of the reference's table of errors, each in our own words. */
const ERROR_ROWS: [
  what: string,
  query: Record<string, string> | undefined,
  token: Misbehaviour | undefined,
  words: string[],
][] = [
  ["no code", {}, undefined, [
    "error[AUTHORIZATION_CODE_MISSING]: The issuer sent no authorization code",
  ]],
  ["empty code", { code: "" }, undefined, [
    "error[AUTHORIZATION_CODE_MISSING]: The issuer sent no authorization code",
  ]],
  ["error", { error: "server_error" }, undefined, [
    "error[AUTHORIZATION_FAILED]: The issuer refused the sign-in",
    "  cause: server_error",
  ]],
  ["error, description", { error: "server_error", error_description: "Down for tea" }, undefined, [
    "error[AUTHORIZATION_FAILED]: The issuer refused the sign-in",
    "  cause: server_error: Down for tea",
  ]],
  ["error, blank description", { error: "server_error", error_description: " \t" }, undefined, [
    "error[AUTHORIZATION_FAILED]: The issuer refused the sign-in",
    "  cause: server_error",
  ]],
  ["denied", { error: "access_denied" }, undefined, [
    "error[ACCESS_DENIED]: The sign-in was not allowed at the issuer",
    "  cause: access_denied",
  ]],
  [
    "no entitlement",
    { error: "access_denied", error_description: "missing_codex_entitlement" },
    undefined,
    [
      "error[ENTITLEMENT]: Codex is not enabled for your workspace",
      "  cause: access_denied: missing_codex_entitlement",
      "  try:   ask the administrator of your workspace for access to Codex",
    ],
  ],
  ["another issuer", { code: "c", iss: "https://evil.test" }, undefined, [
    "error[ISSUER_MISMATCH]: The answer came from another issuer than the one asked",
  ]],
  ["refused", undefined, {
    status: 400,
    body: '{"error":"invalid_grant","error_description":"used"}',
  }, [
    "error[TOKEN_ENDPOINT]: The issuer's token endpoint refused the sign-in",
    "  cause: HTTP 400, invalid_grant: used",
  ]],
  ["not JSON", undefined, { status: 200, body: "{" }, [
    "error[TOKEN_RESPONSE_INVALID]: The issuer's answer is not usable",
    "  cause: The text is not JSON",
  ]],
  ["member missing", undefined, { change: ({ refresh_token: _, ...rest }) => rest }, [
    "error[TOKEN_RESPONSE_INVALID]: The issuer's answer is not usable",
    '  cause: its member "refresh_token" is missing or unusable',
  ]],
  ["cut", undefined, { reset: true }, [
    "  cause: the connection was cut before the answer was complete (ECONNRESET)",
    "  try:   check the connection, then run the command again",
  ]],
];

test("login() tells each row of the reference's error table in words of its own", async (t) => {
  for (const [what, query, token, words] of ERROR_ROWS) {
    await t.test(what, async () => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      if (token) issuer.misbehave.token = token;
      const run = await startLogin(home, issuer);
      const callback = new URL(await obtainCallback(await run.authUrl));
      if (query) {
        const state = callback.searchParams.get("state") ?? "";
        callback.search = new URLSearchParams({ ...query, state }).toString();
      }
      const page = await get(callback.href);
      assert.notEqual(await run.exitCode, 0);
      for (const line of words) {
        assert.ok(run.world.words.includes(line), `${line}\n${run.world.words.join("\n")}`);
      }
      const [, message = ""] = /: (.*)$/.exec(words[0] ?? "") ?? [];
      if (words[0]?.startsWith("error")) {
        assert.ok(page.body.includes(message.replaceAll("'", "&#39;")), page.body);
      }
    });
  }
});

verifies(
  "S52",
  "login() waits for another process's lock, says for whom, and can be told to end",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const held = await holdLock(join(home.path, "auth.lock"));
    const waiting = await startLogin(home, issuer);
    while (
      !waiting.world.words.some((line) => /^Waiting for .+, which holds auth\.lock\.$/.test(line))
    ) await sleep(10);
    waiting.world.end(new LoginError("INTERRUPTED", "Ended"));
    assert.equal(await waiting.exitCode, 130);
    assert.equal(issuer.requests.length, 0);
    await held[Symbol.asyncDispose]();
  },
);

test("login() with fresh tokens in hand waits for the lock through a signal, and saves them", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer);
  const callback = await obtainCallback(await run.authUrl);
  const held = await holdLock(join(home.path, "auth.lock"));
  const reply = get(callback);
  while (!run.world.words.some((line) => line.startsWith("Waiting for "))) await sleep(10);
  run.world.end(new LoginError("INTERRUPTED", "Ended"));
  await held[Symbol.asyncDispose]();
  assert.equal((await reply).status, 303);
  assert.equal(await run.exitCode, 0);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
});

test("login() on a port that the system forbids says so", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const runtime = await loadRuntime();
  const run = await startLogin(home, issuer, ["--port", "81"], {
    runtime: {
      ...runtime,
      serve: () => Promise.reject(Object.assign(new Error(), { code: "EACCES" })),
    },
  });
  await assertFailed(run, issuer, "PORT_FORBIDDEN", 1);
  assert.ok(run.world.words.includes("  cause: 81: EACCES"));
});

test("login() logs its story in the reference's lines", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startLogin(home, issuer);
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0);
  issuer.misbehave.token = { status: 400, body: "{}" };
  const refused = await startLogin(home, issuer);
  await visit(await refused.authUrl);
  await refused.exitCode;
  issuer.misbehave.token = { reset: true };
  const cut = await startLogin(home, issuer);
  await visit(await cut.authUrl);
  await cut.exitCode;
  const all = (await home.textOutsideAuth()).split("\n").filter((line) => /^\d{4}/.test(line));
  const attempts = new Set(all.map((line) => / attempt=([a-z2-7]{8})$/.exec(line)?.[1]));
  assert.equal(attempts.size, 3, all.join("\n"));
  assert.ok(!attempts.has(undefined));
  const lines = all.filter((line) => !line.includes(" codex_login::story: "))
    .map((line) => line.replace(/ attempt=\w+$/, ""));
  const server = "codex_login::server:";
  const begin = [
    /^ INFO codex_cli::login: starting browser login flow$/,
    new RegExp(
      `^ INFO ${server} received login callback path=/auth/callback has_code=true has_state=true has_error=false state_valid=true$`,
    ),
    new RegExp(
      `^ INFO ${server} starting oauth token exchange issuer=http://\\S+/ token_endpoint=http://\\S+/oauth/token redirect_uri=http://127\\.0\\.0\\.1:\\d+/auth/callback$`,
    ),
  ];
  const failed = new RegExp(`^ERROR ${server} login callback token exchange failed$`);
  const expected = [
    ...begin,
    new RegExp(`^ INFO ${server} oauth token exchange succeeded$`),
    ...begin,
    new RegExp(`^ WARN ${server} oauth token exchange returned non-success status status=400$`),
    failed,
    /^ERROR codex_cli::login: command failed code=TOKEN_ENDPOINT status=400$/,
    ...begin,
    new RegExp(
      `^ERROR ${server} oauth token exchange transport failure is_timeout=false is_connect=false code=CONNECTION_RESET$`,
    ),
    failed,
    /^ERROR codex_cli::login: command failed code=CONNECTION_RESET cause="the connection was cut before the answer was complete \(ECONNRESET\)"$/,
  ];
  assert.equal(lines.length, expected.length, lines.join("\n"));
  for (const [i, pattern] of expected.entries()) {
    assert.match(lines[i] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z /);
    assert.match((lines[i] ?? "").slice(28), pattern);
  }
});

test("a port that was taken early is let go while another process has the store", {
  skip: missingTool("flock", "-V"),
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const lock = await holdLock(join(home.path, "auth.lock"));
  const seen = deferred<void>();
  const run = await startLogin(home, issuer, ["--port", "15563", "--timeout", "30s"], {
    sleep: async (ms, signal) => {
      if (ms === EARLY_MS) await seen.promise;
      await sleep(ms, signal);
    },
  });
  const taken = async (): Promise<boolean> => {
    const stranger = await occupy(15_563).catch(() => undefined);
    await stranger?.[Symbol.asyncDispose]();
    return stranger !== undefined;
  };
  const status = (): Promise<number | undefined> =>
    get("http://127.0.0.1:15563/").then((reply) => reply.status, () => undefined);
  let first = await status();
  while (first === undefined) first = await status();
  seen.resolve();
  assert.equal(first, 503);
  while (!await taken()) await sleep(20);
  await lock[Symbol.asyncDispose]();
  assert.equal(await run.port(), 15_563);
  run.world.end(new LoginError("INTERRUPTED", "Enough"));
  assert.equal(await run.exitCode, 130);
});
