import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import { loginOf } from "./testing/logins.ts";
import { assertDeviceFailed, assertNothingLeaked, startDeviceLogin } from "./testing/device_run.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import {
  createSecrets,
  PENDING,
  POLL,
  properScript,
  type Reply,
  type ScriptedIssuer,
  scriptIssuer,
  type Secrets,
  TOKEN,
  tokensFor,
  USER_CODE,
  USERCODE,
} from "./testing/scripted_issuer.ts";
import { ADA, BOB } from "./testing/users.ts";
import { createClock, type VirtualClock } from "./testing/virtual_clock.ts";
import { verifies } from "./testing/verifies.ts";

const DEFAULT_ISSUER = "https://auth.openai.com";
const OLD_KEY = { auth_mode: "apikey", OPENAI_API_KEY: "sk-old-key-0123456789", mine: [1] };

interface Scene extends AsyncDisposable {
  readonly home: TestHome;
  readonly clock: VirtualClock;
  readonly secrets: Secrets;
  issuer: ScriptedIssuer;
}

/** An issuer that speaks the reference's protocol properly, but for these replies. */
async function prepare(
  changes: (secrets: Secrets) => Record<string, Reply | readonly Reply[]> = () => ({}),
  { url, user = ADA, interval = "5" }: { url?: string; user?: typeof ADA; interval?: unknown } = {},
): Promise<Scene> {
  const home = await createHome();
  const clock = createClock();
  const secrets = await createSecrets();
  const script = { ...properScript(secrets, interval), ...changes(secrets) };
  const issuer = scriptIssuer(clock, script, {
    secrets: [secrets.deviceAuthId, secrets.code, secrets.codeVerifier],
    user,
    ...(url ? { url } : {}),
  });
  return {
    home,
    clock,
    secrets,
    issuer,
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

function paths({ issuer }: Scene): string[] {
  return issuer.calls.map(({ path }) => path);
}

test("deviceLogin() sends what the reference sends, saves what it saves, and tells no secret", async () => {
  for (const url of [DEFAULT_ISSUER, "https://issuer.test", "https://issuer.test/tenant"]) {
    await using scene = await prepare(({ codeChallenge, codeVerifier, code }) => ({
      [POLL]: [PENDING, { status: 404 }, {
        body: {
          authorization_code: code,
          code_challenge: codeChallenge,
          code_verifier: codeVerifier,
        },
      }],
    }), { url });
    const { home, clock, issuer, secrets } = scene;
    const run = await startDeviceLogin(home, issuer, clock);
    assert.equal(await run.exitCode, 0, run.words());

    assert.deepEqual(paths(scene), [USERCODE, POLL, POLL, POLL, TOKEN]);
    const json = { "content-type": "application/json", accept: "*/*" };
    const form = { "content-type": "application/x-www-form-urlencoded", accept: "*/*" };
    const [first, second, , , last] = issuer.calls.map(({ init }) => init);
    assert.deepEqual([first?.method, first?.headers, first?.redirect], ["POST", json, "manual"]);
    assert.equal(first?.body, '{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann"}');
    assert.deepEqual([second?.method, second?.headers, second?.redirect], ["POST", json, "manual"]);
    assert.equal(
      second?.body,
      JSON.stringify({ device_auth_id: secrets.deviceAuthId, user_code: USER_CODE }),
    );
    assert.deepEqual([last?.method, last?.headers, last?.redirect], ["POST", form, "manual"]);
    assert.equal(
      last?.body,
      "grant_type=authorization_code&client_id=app_EMoamEEZ73f0CkXaXp7hrann" +
        `&code=${secrets.code}&redirect_uri=${encodeURIComponent(`${url}/deviceauth/callback`)}` +
        `&code_verifier=${secrets.codeVerifier}`,
    );
    assert.deepEqual(issuer.to(POLL).map(({ at }) => at), [0, 5_000, 10_000]);

    const file = await home.authJson();
    assert.equal(file["auth_mode"], "chatgpt");
    assert.equal(file["OPENAI_API_KEY"], null);
    const tokens = file["tokens"] as Record<string, unknown>;
    assert.equal((tokens["oauth_provenance"] as Record<string, string>)["issuer"], url);
    assert.equal(await home.mode("auth.json"), "600");

    assert.deepEqual(run.world.words, [
      "To sign in, open this address in a browser on any device:",
      `${url}/codex/device`,
      "Enter this code there, within 15 min:",
      USER_CODE,
      "Never enter a code that somebody else sent you: go on only if you started this sign-in yourself (Ctrl-C cancels).",
      "Signed in as ada@example.com (plan plus, workspace Analytical Engines).",
      `Saved in ${home.authPath}.`,
    ]);
    assert.deepEqual(run.world.data, []);
    assert.deepEqual(run.world.launched, []);
    const log = await home.textOutsideAuth();
    assert.match(log, /INFO codex_cli::login: starting device code login flow/);
    assert.match(log, /INFO codex_login::server: oauth token exchange succeeded/);
    await assertNothingLeaked(run, home, issuer);
  }
});

test("deviceLogin() keeps the issuer's trailing slash in what it saves and out of what it asks", async () => {
  await using scene = await prepare();
  const { home, issuer, clock } = scene;
  const run = await startDeviceLogin(home, { ...issuer, url: `${issuer.url}/` }, clock);
  assert.equal(await run.exitCode, 0, run.words());
  const { tokens } = await home.authJson() as { tokens: Record<string, Record<string, string>> };
  assert.equal(tokens["oauth_provenance"]?.["issuer"], "https://issuer.test/");
  assert.ok(run.world.words.includes("https://issuer.test/codex/device"));
});

verifies("S41", "deviceLogin() waits as long as the issuer wants, within reason", async () => {
  const rows: [interval: unknown, ms: number][] = [
    ["5", 5_000],
    [7, 7_000],
    ["2.5", 2_500],
    [undefined, 5_000],
    [null, 5_000],
    ["soon", 5_000],
    ["", 5_000],
    [{}, 5_000],
    ["0", 1_000],
    [0, 1_000],
    [-3, 1_000],
    [3_600, 60_000],
  ];
  for (const [interval, ms] of rows) {
    await using scene = await prepare(({ code, codeChallenge, codeVerifier }) => ({
      [POLL]: [PENDING, PENDING, {
        body: {
          authorization_code: code,
          code_challenge: codeChallenge,
          code_verifier: codeVerifier,
        },
      }],
    }), { interval });
    const run = await startDeviceLogin(scene.home, scene.issuer, scene.clock);
    assert.equal(await run.exitCode, 0, run.words());
    assert.deepEqual(scene.issuer.to(POLL).map(({ at }) => at), [0, ms, 2 * ms], String(interval));
  }
});

verifies(
  "S40",
  "deviceLogin() takes the code by either of its names, and shows it cleaned",
  async () => {
    const rows: [members: Record<string, unknown>, shown: string][] = [
      [{ user_code: "WXYZ-1" }, "WXYZ-1"],
      [{ usercode: "WXYZ-2" }, "WXYZ-2"],
      [{ user_code: null, usercode: "wxyz3" }, "wxyz3"],
      [{ user_code: "WX\u200bYZ\u202e-4" }, "WXYZ-4"],
    ];
    for (const [members, shown] of rows) {
      await using scene = await prepare(({ deviceAuthId }) => ({
        [USERCODE]: { body: { device_auth_id: deviceAuthId, ...members } },
      }));
      const run = await startDeviceLogin(scene.home, scene.issuer, scene.clock);
      assert.equal(await run.exitCode, 0, run.words());
      assert.ok(run.world.words.includes(shown), run.words());
      // The issuer is told its own spelling.
      const sent = JSON.parse(scene.issuer.to(POLL)[0]?.init.body ?? "");
      assert.equal(sent.user_code, members["user_code"] ?? members["usercode"]);
      await assertNothingLeaked(run, scene.home, scene.issuer);
    }
  },
);

verifies("S41", "deviceLogin() is told to slow down, and stays slower", async () => {
  await using scene = await prepare((secrets) => ({
    [POLL]: [
      { status: 400, body: { error: "slow_down" } },
      { status: 429, body: "<html>" },
      { status: 429, headers: { "retry-after": "42" } },
      { status: 429, headers: { "retry-after": "99999999999" } },
      PENDING,
      { status: 400, body: { error: "authorization_pending" } },
      properScript(secrets)[POLL] ?? {},
    ],
  }));
  const { home, issuer, clock } = scene;
  const run = await startDeviceLogin(home, issuer, clock);
  assert.equal(await run.exitCode, 0, run.words());
  assert.deepEqual(clock.sleeps.slice(0, 6), [10_000, 15_000, 42_000, 300_000, 25_000, 25_000]);
  assert.ok(!run.words().includes("could not be asked"));
});

verifies(
  "S35",
  "deviceLogin() goes on when the issuer is out of reach or out of order, ever more slowly, and says so once",
  async () => {
    await using scene = await prepare((secrets) => ({
      [POLL]: [
        new LoginError("CONNECT_REFUSED", "No", { requestSent: false }),
        new LoginError("RESPONSE_TIMEOUT", "No"),
        { status: 503, headers: { "retry-after": "3" } },
        { status: 502, body: "<html>\x1b[31m", headers: { "content-type": "text/html" } },
        { status: 500, body: { error: "server_error" } },
        new LoginError("DNS", "No"),
        { status: 503, headers: { "retry-after": "100" } },
        PENDING,
        new LoginError("CONNECTION_RESET", "No"),
        properScript(secrets)[POLL] ?? {},
      ],
    }));
    const { home, issuer, clock } = scene;
    const run = await startDeviceLogin(home, issuer, clock);
    assert.equal(await run.exitCode, 0, run.words());
    assert.deepEqual(clock.sleeps.slice(0, 9), [
      10_000,
      20_000,
      40_000,
      60_000,
      60_000,
      60_000,
      100_000,
      5_000,
      10_000,
    ]);
    const told = run.world.words.filter((line) => line.includes("could not be asked"));
    assert.deepEqual(told, [
      "The issuer could not be asked (CONNECT_REFUSED); trying again until the code expires.",
    ]);
    assert.match(
      await home.textOutsideAuth(),
      /WARN .*the issuer could not be asked code="?HTTP 503/,
    );
    await assertNothingLeaked(run, home, issuer);
  },
);

const ENDS: [status: number, body: unknown, code: string, exitCode: number][] = [
  ...[200, 400, 401, 403, 404, 429, 500].map((
    status,
  ): [number, unknown, string, number] => [status, { error: "access_denied" }, "ACCESS_DENIED", 1]),
  [403, { error: { code: "access_denied", message: "no" } }, "ACCESS_DENIED", 1],
  [403, { error: { code: "deviceauth_authorization_denied" } }, "ACCESS_DENIED", 1],
  [400, { error: "authorization_declined" }, "ACCESS_DENIED", 1],
  [
    403,
    { error: "access_denied", error_description: "missing_codex_entitlement" },
    "ENTITLEMENT",
    1,
  ],
  [400, { error: "expired_token" }, "LOGIN_TIMEOUT", 6],
  [404, { error: { code: "deviceauth_expired" } }, "LOGIN_TIMEOUT", 6],
  [400, { error: "invalid_client", error_description: "who?" }, "AUTHORIZATION_FAILED", 1],
  [401, "nobody", "AUTHORIZATION_FAILED", 1],
  [200, { error: "invalid_request" }, "AUTHORIZATION_FAILED", 1],
  [307, "", "AUTHORIZATION_FAILED", 1],
  [410, "", "AUTHORIZATION_FAILED", 1],
  [200, "{", "TOKEN_RESPONSE_INVALID", 1],
  [200, [], "TOKEN_RESPONSE_INVALID", 1],
  [200, {}, "TOKEN_RESPONSE_INVALID", 1],
];

test("deviceLogin() ends at once when the issuer says no, whatever the status", async () => {
  for (const [status, body, code, exitCode] of ENDS) {
    await using scene = await prepare(() => ({ [POLL]: [PENDING, { status, body }, PENDING] }));
    const { home, issuer, clock } = scene;
    await home.writeAuth(OLD_KEY);
    const before = await home.readAuth();
    const run = await startDeviceLogin(home, issuer, clock);
    await assertDeviceFailed(run, home, issuer, [code, exitCode], before);
    assert.equal(issuer.to(POLL).length, 2, `${status} ${JSON.stringify(body)}`);
    assert.match(
      run.world.words.at(-1) ?? "",
      /^ {2}note: {2}your earlier login is untouched; reference [a-z2-7]{8}$/,
    );
  }
});

test("deviceLogin() takes 403 and 404 for waiting, whatever else their body says", async () => {
  const bodies = [
    "",
    "<html>Forbidden</html>",
    { error: "not_found" },
    { error: { code: "permission_denied" } },
    { error: { code: "session_expired" } },
    { error: "access denied by the proxy" },
    { code: "AccessDenied" },
    { message: "access_denied" },
    [1],
    null,
  ];
  await using scene = await prepare((secrets) => ({
    [POLL]: [
      ...bodies.flatMap((body): Reply[] => [{ status: 403, body }, { status: 404, body }]),
      properScript(secrets)[POLL] ?? {},
    ],
  }));
  const run = await startDeviceLogin(scene.home, scene.issuer, scene.clock);
  assert.equal(await run.exitCode, 0, run.words());
  assert.equal(scene.issuer.to(POLL).length, bodies.length * 2 + 1);
});

test("deviceLogin() ends when the code expires, and says what next", async () => {
  const now = Date.now();
  const rows: [members: Record<string, unknown>, args: string[], ms: number, shown: RegExp][] = [
    [{}, [], 900_000, /within 15 min/],
    [{ expires_in: 60 }, [], 60_000, /within 60 s|within 1 min/],
    [{ expires_in: "90" }, [], 90_000, /within 2 min/],
    [{ expires_in: 86_400 }, [], 900_000, /within 15 min/],
    [{ expires_in: 0 }, [], 900_000, /within 15 min/],
    [{ expires_in: -5, expires_at: "soon" }, [], 900_000, /within 15 min/],
    [{ expires_at: new Date(now + 120_000).toISOString() }, [], 120_000, /within 2 min/],
    [{ expires_at: new Date(now - 1).toISOString() }, [], 900_000, /within 15 min/],
    [{}, ["--timeout", "30s"], 30_000, /within 30 s/],
    [{ expires_in: 60 }, ["--timeout", "10m"], 60_000, /within 1 min/],
    [{}, ["--timeout", "0"], 900_000, /within 15 min/],
  ];
  for (const [members, args, ms, shown] of rows) {
    await using home = await createHome();
    const clock = createClock(now);
    const secrets = await createSecrets();
    const issuer = scriptIssuer(clock, {
      [USERCODE]: {
        body: { device_auth_id: secrets.deviceAuthId, user_code: USER_CODE, ...members },
      },
      [POLL]: PENDING,
    }, { secrets: [secrets.deviceAuthId] });
    const run = await startDeviceLogin(home, issuer, clock, args);
    await assertDeviceFailed(run, home, issuer, ["LOGIN_TIMEOUT", 6]);
    assert.equal(clock.elapsed(), ms, JSON.stringify(members));
    assert.match(run.words(), shown);
    assert.match(run.words(), /try: {3}codex-login login --device-auth/);
    assert.match(
      run.words(),
      args[1] === "30s"
        ? /Nobody completed the sign-in within 30 s/
        : /The code expired before anybody completed the sign-in/,
    );
  }
});

test("deviceLogin() that ends out of reach of the issuer says so", async () => {
  await using scene = await prepare(() => ({ [POLL]: new LoginError("DNS", "No") }));
  const { home, issuer, clock } = scene;
  const run = await startDeviceLogin(home, issuer, clock);
  await assertDeviceFailed(run, home, issuer, ["LOGIN_TIMEOUT", 6]);
  assert.match(run.words(), /cause: at last the issuer could not be asked \(DNS\)/);
});

test("deviceLogin() at the default issuer says where device codes are turned on, asks for no metadata, and names the other ways", async () => {
  for (const url of [DEFAULT_ISSUER, "https://issuer.test"]) {
    await using scene = await prepare(() => ({ [USERCODE]: { status: 404 } }), { url });
    const { home, issuer, clock } = scene;
    const run = await startDeviceLogin(home, issuer, clock);
    await assertDeviceFailed(run, home, issuer, ["DEVICE_CODE_UNAVAILABLE", 1]);
    assert.match(run.words(), /cause: HTTP 404; .*Settings > Security.*Permissions$/m);
    assert.match(
      run.words(),
      /try: .*ssh -L 1455:127\.0\.0\.1:1455.*--paste.*--with-api-key$/m,
    );
    assert.deepEqual(
      paths(scene),
      url === DEFAULT_ISSUER ? [USERCODE] : [
        USERCODE,
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
      ],
    );
  }
});

const ESCAPES = "\x1b]52;c;aGk=\x07\x1b[31m\u202e\x9b2J";

test("deviceLogin() tells why no code was given", async () => {
  type Row = [reply: Reply, code: string, exitCode: number, words: RegExp];
  const good = { device_auth_id: "deviceauth-0123456789", user_code: USER_CODE };
  const rows: Row[] = [
    [{ status: 500, body: ESCAPES }, "ISSUER_FAULT", 1, /HTTP 500/],
    [
      { status: 400, body: { error: "invalid_client" } },
      "AUTHORIZATION_FAILED",
      1,
      /invalid_client/,
    ],
    [{ status: 429 }, "RATE_LIMITED", 1, /HTTP 429/],
    [
      { status: 307, headers: { location: "http://127.0.0.1:1" } },
      "AUTHORIZATION_FAILED",
      1,
      /307/,
    ],
    [{ body: "{" }, "TOKEN_RESPONSE_INVALID", 1, /not JSON/],
    [{ body: "x", headers: { "content-type": "text/html" } }, "CAPTIVE_PORTAL", 5, /HTML/],
    [{ body: { ...good, device_auth_id: "" } }, "TOKEN_RESPONSE_INVALID", 1, /device_auth_id/],
    [{ body: { ...good, user_code: undefined } }, "TOKEN_RESPONSE_INVALID", 1, /user_code/],
    [{ body: { ...good, user_code: 5 } }, "TOKEN_RESPONSE_INVALID", 1, /user_code/],
    [{ body: { ...good, user_code: "AB" } }, "TOKEN_RESPONSE_INVALID", 1, /user code/],
    [{ body: { ...good, user_code: `AB${ESCAPES}` } }, "TOKEN_RESPONSE_INVALID", 1, /user code/],
    [{ body: { ...good, user_code: "A".repeat(17) } }, "TOKEN_RESPONSE_INVALID", 1, /user code/],
    [{ body: { ...good, user_code: "ÄÖÜ-1234" } }, "TOKEN_RESPONSE_INVALID", 1, /user code/],
    [new LoginError("DNS", "No"), "DNS", 5, /check the connection/],
    [new TypeError("secret"), "INTERNAL", 70, /TypeError/],
  ];
  for (const [reply, code, exitCode, words] of rows) {
    await using scene = await prepare(() => ({ [USERCODE]: reply }));
    const { home, issuer, clock } = scene;
    const run = await startDeviceLogin(home, issuer, clock);
    await assertDeviceFailed(run, home, issuer, [code, exitCode]);
    assert.match(run.words(), words);
    assert.equal(issuer.calls.length, 1);
  }
});

verifies(
  "S42",
  "deviceLogin() refuses a grant whose verifier is not the challenge's, before anything is sent",
  async () => {
    const changes: Record<string, unknown>[] = [
      { code_challenge: "another" },
      { code_verifier: "another" },
      { code_challenge: undefined },
      { code_verifier: "" },
      { authorization_code: "a\nb" },
    ];
    for (const change of changes) {
      await using scene = await prepare((secrets) => {
        const { body } = properScript(secrets)[POLL] as { body: Record<string, unknown> };
        return { [POLL]: { body: { ...body, ...change } } };
      });
      const { home, issuer, clock } = scene;
      const run = await startDeviceLogin(home, issuer, clock);
      await assertDeviceFailed(run, home, issuer, ["TOKEN_RESPONSE_INVALID", 1]);
      assert.equal(issuer.to(TOKEN).length, 0);
    }
  },
);

verifies(
  "S35",
  "deviceLogin() sends the authorization code once, unless it provably did not leave",
  async () => {
    const unsent = new LoginError("CONNECT_REFUSED", "No", { requestSent: false });
    await using good = await prepare(({ codeVerifier }) => ({
      [TOKEN]: [unsent, unsent, {
        body: tokensFor("https://issuer.test", ADA, Date.now()),
        headers: { "x-echo": codeVerifier },
      }],
    }));
    const run = await startDeviceLogin(good.home, good.issuer, good.clock);
    assert.equal(await run.exitCode, 0, run.words());
    assert.equal(good.issuer.to(TOKEN).length, 3);
    assert.equal(run.world.words.filter((line) => line.includes("trying again")).length, 2);

    const rows: [
      reply: (secrets: Secrets) => Reply,
      code: string,
      exitCode: number,
      asked: number,
    ][] = [
      [() => new LoginError("CONNECTION_RESET", "No"), "CONNECTION_RESET", 5, 1],
      [() => new LoginError("RESPONSE_TIMEOUT", "No"), "RESPONSE_TIMEOUT", 5, 1],
      [() => unsent, "CONNECT_REFUSED", 5, 6],
      [() => ({ status: 503 }), "ISSUER_FAULT", 1, 1],
      [
        ({ code, codeVerifier }) => ({ status: 400, body: { error: `${code} ${codeVerifier}` } }),
        "TOKEN_ENDPOINT",
        1,
        1,
      ],
      [() => ({ body: {} }), "TOKEN_RESPONSE_INVALID", 1, 1],
      [
        () => ({ body: { id_token: "x", access_token: "y", refresh_token: "z" } }),
        "ID_TOKEN_INVALID",
        1,
        1,
      ],
      [
        () => ({ body: tokensFor("https://evil.test", ADA, Date.now()) }),
        "ID_TOKEN_INVALID",
        1,
        1,
      ],
    ];
    for (const [reply, code, exitCode, asked] of rows) {
      await using scene = await prepare((secrets) => ({ [TOKEN]: reply(secrets) }));
      const { home, issuer, clock } = scene;
      await home.writeAuth(OLD_KEY);
      const before = await home.readAuth();
      const failing = await startDeviceLogin(home, issuer, clock);
      await assertDeviceFailed(failing, home, issuer, [code, exitCode], before);
      assert.equal(issuer.to(TOKEN).length, asked, code);
    }
  },
);

test("deviceLogin() checks the workspace before it saves, and the settings before it asks", async () => {
  await using scene = await prepare();
  const { home, issuer, clock } = scene;
  const wrong = await startDeviceLogin(home, issuer, clock, ["--expect-workspace", "acct-9"]);
  await assertDeviceFailed(wrong, home, issuer, ["WORKSPACE_MISMATCH", 1]);

  const rows: [args: string[], code: string, exitCode: number][] = [
    [["-c", "forced_login_method=api"], "LOGIN_METHOD_FORBIDDEN", 1],
    [["-c", "cli_auth_credentials_store=ephemeral"], "STORE_UNSUPPORTED", 3],
    [["-c", "forced_chatgpt_workspace_id=a", "--expect-workspace", "b"], "USAGE", 2],
  ];
  for (const [args, code, exitCode] of rows) {
    await using other = await prepare();
    const run = await startDeviceLogin(other.home, other.issuer, other.clock, args);
    await assertDeviceFailed(run, other.home, other.issuer, [code, exitCode]);
    assert.deepEqual(other.issuer.calls, []);
  }

  await using right = await prepare();
  const args = ["-c", "forced_login_method=chatgpt", "-c", "forced_chatgpt_workspace_id=acct-1111"];
  const run = await startDeviceLogin(right.home, right.issuer, right.clock, args);
  assert.equal(await run.exitCode, 0, run.words());
});

test("deviceLogin() that is told to end does so at once, wherever it is, and asks no more", async () => {
  const codes = [["INTERRUPTED", 130], ["TERMINATED", 143], ["HANGUP", 129]] as const;
  const places: Record<string, Record<string, Reply>> = {
    asleep: { [POLL]: PENDING },
    "asking for a code": { [USERCODE]: "hang" },
    polling: { [POLL]: "hang" },
    exchanging: { [TOKEN]: "hang" },
  };
  for (const [code, exitCode] of codes) {
    for (const [place, script] of Object.entries(places)) {
      await using scene = await prepare(() => script);
      const { home, issuer, clock } = scene;
      await home.writeAuth(OLD_KEY);
      const before = await home.readAuth();
      const run = await startDeviceLogin(home, issuer, clock);
      const end = (): void => run.world.end(new LoginError(code, "Ended"));
      const [path = ""] = Object.keys(script);
      if (place === "asleep") clock.onSleep = end;
      else {issuer.onCall = (call): void => {
          if (call.path === path) setTimeout(end, 0);
        };}
      await assertDeviceFailed(run, home, issuer, [code, exitCode], before);
      assert.equal(issuer.to(path).length, 1, place);
      assert.equal(clock.elapsed(), 0);
    }
  }
});

test("deviceLogin() tells programs in JSON lines", async () => {
  await using scene = await prepare();
  const { home, issuer, clock } = scene;
  const run = await startDeviceLogin(home, issuer, clock, ["--json"]);
  assert.equal(await run.exitCode, 0);
  const [shown, completed] = run.world.data.map((line) => JSON.parse(line));
  assert.deepEqual(shown, {
    event: "device_code",
    verificationUrl: "https://issuer.test/codex/device",
    userCode: USER_CODE,
    expiresAt: new Date(clock.now() - clock.elapsed() + 900_000).toISOString(),
  });
  assert.deepEqual(completed, {
    event: "completed",
    account: { email: "ada@example.com", plan: "plus", accountId: "acct-1111", userId: "user-ada" },
    store: "file",
    path: home.authPath,
  });
  assert.deepEqual(run.world.words, []);

  await using denied = await prepare(() => ({
    [POLL]: { status: 400, body: { error: "access_denied" } },
  }));
  const failing = await startDeviceLogin(denied.home, denied.issuer, denied.clock, ["--json"]);
  assert.equal(await failing.exitCode, 1);
  const failed = JSON.parse(failing.world.data.at(-1) ?? "");
  assert.equal(failed.event, "failed");
  assert.equal(failed.error.code, "ACCESS_DENIED");
  await assertNothingLeaked(failing, denied.home, denied.issuer);
});

verifies(
  "S40",
  "deviceLogin() shows address and code alone on their lines, with links and colour only where they work",
  async () => {
    const rows: [
      args: string[],
      env: Record<string, string>,
      isTerminal: boolean,
      lines: string[],
    ][] = [
      [[], {}, false, ["https://issuer.test/codex/device", USER_CODE]],
      [["--quiet"], {}, false, ["https://issuer.test/codex/device", USER_CODE]],
      [[], {}, true, [
        "\x1b]8;;https://issuer.test/codex/device\x1b\\https://issuer.test/codex/device\x1b]8;;\x1b\\",
        `\x1b[1m${USER_CODE}\x1b[0m`,
      ]],
      [[], { NO_COLOR: "1" }, true, [USER_CODE]],
      [["--no-color"], {}, true, [USER_CODE]],
      [["--plain"], {}, true, ["https://issuer.test/codex/device", USER_CODE]],
      [[], { TERM: "dumb" }, true, ["https://issuer.test/codex/device", USER_CODE]],
    ];
    for (const [args, env, isTerminal, lines] of rows) {
      await using scene = await prepare();
      const run = await startDeviceLogin(scene.home, scene.issuer, scene.clock, args, {
        env,
        isTerminal: () => Promise.resolve(isTerminal),
      });
      assert.equal(await run.exitCode, 0);
      for (const line of lines) assert.ok(run.world.words.includes(line), run.words());
      const warning = /^Never enter a code that somebody else sent you/;
      if (args.includes("--quiet")) {
        assert.deepEqual(run.world.words.filter((line) => !warning.test(line)), lines);
      }
      assert.ok(run.world.words.some((line) => warning.test(line)));
    }
  },
);

test("deviceLogin() revokes another user's earlier login, and leaves the same user's to expire", async () => {
  const rows = [[BOB, /The earlier login of bob@example\.com was revoked/, 1], [
    ADA,
    /left to expire/,
    0,
  ]] as const;
  for (const [user, words, revoked] of rows) {
    await using scene = await prepare(() => ({ "/oauth/revoke": {} }));
    const { home, issuer, clock } = scene;
    await home.writeAuth(loginOf(user, issuer.url));
    const run = await startDeviceLogin(home, issuer, clock);
    assert.equal(await run.exitCode, 0, run.words());
    assert.match(run.words(), words);
    assert.equal(issuer.to("/oauth/revoke").length, revoked);
    assert.equal(paths(scene).indexOf("/oauth/revoke"), revoked ? 3 : -1);
  }
});

verifies(
  ["S36", "S65"],
  "deviceLogin() fails with LoginErrors only, and shows and saves nothing foreign, whatever the issuer answers",
  async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(ESCAPES, "access_denied", "slow_down", USER_CODE, "5", "1e999"),
    );
    const value = fc.oneof(text, fc.jsonValue(), fc.double(), fc.constant(null));
    const members = (names: string[]): fc.Arbitrary<unknown> =>
      fc.dictionary(fc.constantFrom(...names), value);
    const reply = (names: string[]): fc.Arbitrary<Reply> =>
      fc.record({
        status: fc.constantFrom(200, 200, 200, 201, 302, 400, 403, 404, 429, 500),
        headers: fc.dictionary(
          fc.constantFrom("retry-after", "date", "content-type"),
          fc.constantFrom(
            "",
            "5",
            "-1",
            "1e9",
            "Sat, 21 Nov 2026 00:00:00 GMT",
            "application/json",
          ),
        ),
        body: fc.oneof(members(names), text, fc.jsonValue()),
      });
    const usercode = reply([
      "device_auth_id",
      "user_code",
      "usercode",
      "interval",
      "expires_in",
      "expires_at",
      "error",
    ]);
    const poll = reply(["authorization_code", "code_verifier", "code_challenge", "error", "code"]);
    const token = reply(["id_token", "access_token", "refresh_token", "token_type", "error"]);
    await fc.assert(
      fc.asyncProperty(
        fc.option(usercode),
        fc.option(fc.array(poll, { minLength: 1, maxLength: 3 })),
        fc.option(token),
        async (first, second, third) => {
          if (!first && !second && !third) return;
          await using home = await createHome();
          const clock = createClock();
          const secrets = await createSecrets();
          const issuer = scriptIssuer(clock, {
            ...properScript(secrets),
            ...(first ? { [USERCODE]: first } : {}),
            ...(second ? { [POLL]: second } : {}),
            ...(third ? { [TOKEN]: third } : {}),
          }, { secrets: [secrets.deviceAuthId, secrets.code, secrets.codeVerifier] });
          const run = await startDeviceLogin(home, issuer, clock);
          const exitCode = await run.exitCode;
          if (exitCode === 0) return;
          assert.ok([1, 6].includes(exitCode), run.words());
          assert.ok(!(await home.list()).includes("auth.json"));
          // deno-lint-ignore no-control-regex -- that is what must not be there
          assert.doesNotMatch(run.words(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
        },
      ),
      { numRuns: 150 },
    );
  },
);
