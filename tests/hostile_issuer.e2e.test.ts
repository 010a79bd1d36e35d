import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { deferred } from "../src/deferred.ts";
import { get } from "./testing/http_client.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { encode, signJwt } from "./testing/jwt.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import { type Program, runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { times } from "./testing/thorough.ts";
import { CA_PATH, obtainCallbackByTls, TLS } from "./testing/tls.ts";
import { missingTool } from "./testing/tools.ts";
import { ADA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 300_000 };
const EARLIER = { auth_mode: "apikey", OPENAI_API_KEY: "sk-earlier-0123456789" };

/** It failed in these words, what was stored is still stored, and no secret is anywhere. */
async function assertFailed(
  program: Program,
  issuer: TestIssuer,
  home: TestHome,
  code: RegExp,
): Promise<void> {
  const { exitCode, stdout, stderr } = await program.ended;
  assert.ok([1, 5].includes(exitCode ?? -1), stderr);
  assert.match(stderr, new RegExp(`^error\\[(${code.source})\\]: `, "m"));
  assert.match(stderr, /your earlier login is untouched/);
  assert.deepEqual(await home.authJson(), EARLIER);
  const authUrl = /^http\S+\/oauth\/authorize\?\S+$/m.exec(stderr)?.[0] ?? "";
  const told = stdout + stderr.replace(authUrl, "") + await home.textOutsideAuth();
  assertNoSecrets(told, issuer, authUrl === "" ? undefined : authUrl);
}

const nowS = Math.floor(Date.now() / 1000);
const changed = (claims: Record<string, unknown>) => (own: Record<string, unknown>) => ({
  ...own,
  ...claims,
});

/** What makes an ID token of an https issuer unusable: in its claims, in its header, or in its form. */
const BAD_ID_TOKENS: Record<
  string,
  Parameters<typeof startIssuer>[0] | ((good: string) => string)
> = {
  "another iss": { idTokenClaims: changed({ iss: "https://evil.test" }) },
  "no iss": { idTokenClaims: changed({ iss: undefined }) },
  "another aud": { idTokenClaims: changed({ aud: ["app_other"] }) },
  "an aud of others too": {
    idTokenClaims: changed({ aud: ["app_EMoamEEZ73f0CkXaXp7hrann", "b"] }),
  },
  "no aud": { idTokenClaims: changed({ aud: undefined }) },
  "another azp": { idTokenClaims: changed({ azp: "app_other" }) },
  "expired": { idTokenClaims: changed({ exp: nowS - 3_600 }) },
  "no exp": { idTokenClaims: changed({ exp: undefined }) },
  "exp in words": { idTokenClaims: changed({ exp: "tomorrow" }) },
  "made tomorrow": { idTokenClaims: changed({ iat: nowS + 86_400 }) },
  "not before tomorrow": { idTokenClaims: changed({ nbf: nowS + 86_400 }) },
  "alg none": { idTokenHeader: { alg: "none" } },
  "alg HS256": { idTokenHeader: { alg: "HS256" } },
  "no alg": { idTokenHeader: { typ: "JWT" } },
  "crit": { idTokenHeader: { alg: "ES256", crit: ["b64"], b64: false } },
  "two parts": (good) => good.split(".").slice(0, 2).join("."),
  "four parts": (good) => `${good}.x`,
  "no signature": (good) => `${good.split(".").slice(0, 2).join(".")}.`,
  "padding": (good) => `${good}==`,
  "not base64url": (good) => good.replace(/^./, "+"),
  "a list for a payload": (good) => withPayload(good, "[1,2]"),
  "a text for a payload": (good) => withPayload(good, '"claims"'),
  "deep": (good) => withPayload(good, `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`),
  "5 MB": (good) => withPayload(good, JSON.stringify({ a: "x".repeat(700_000) })),
  "bad UTF-8": (good) =>
    good.replace(/\.[^.]+\./, `.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.`),
  "a prototype": (good) => withPayload(good, '{"__proto__":{"iss":"x","aud":"y","exp":9e9}}'),
  "not a token": () => "token",
};

function withPayload(token: string, payload: string): string {
  return token.replace(/\.[^.]+\./, `.${Buffer.from(payload).toString("base64url")}.`);
}

verifies(
  ["S37", "S38"],
  `${SUBJECT}: an ID token that is not this issuer's, for us and of now is refused, and nothing is saved`,
  SLOW,
  async () => {
    const rows = Object.entries(BAD_ID_TOKENS);
    // A process each; the rows are tried in full with the unit tests, and here by npm run security.
    const step = times(4, 1);
    for (const [what, wrong] of rows.filter((_, at) => at % step === 0)) {
      const options = typeof wrong === "object" ? wrong : {};
      await using issuer = await startIssuer({ tls: TLS, ...options });
      if (typeof wrong === "function") {
        issuer.misbehave.token = {
          change: (answer) => ({ ...answer, id_token: wrong(String(answer["id_token"])) }),
        };
      }
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      const env = { CODEX_CA_CERTIFICATE: CA_PATH };
      await using program = startLogin(home, issuer, [], { env });
      const callback = await obtainCallbackByTls(await program.authUrl());
      assert.equal((await get(callback)).status, 502, what);
      await assertFailed(program, issuer, home, /ID_TOKEN_INVALID|TOKEN_RESPONSE_INVALID/);
    }
  },
);

verifies(
  ["S30", "S32"],
  `${SUBJECT}: a token answer that is too large, packed too well, or of another form is refused`,
  SLOW,
  async () => {
    const json = { "content-type": "application/json" };
    const bomb = gzipSync(Buffer.alloc(times(8, 600) * 1_000_000, " "));
    const tokens = (changes: Record<string, unknown>): Record<string, unknown> => ({
      change: (answer: Record<string, unknown>) => ({ ...answer, ...changes }),
    });
    const all: [what: string, wrong: Record<string, unknown>][] = [
      ["a bomb", { status: 200, headers: { ...json, "content-encoding": "gzip" }, body: bomb }],
      ["too large", { status: 200, headers: json, body: " ".repeat(1_200_000) }],
      ["HTML", { status: 200, headers: { "content-type": "text/html" }, body: "<h1>hello</h1>" }],
      ["a list", { status: 200, headers: json, body: "[]" }],
      ["null", { status: 200, headers: json, body: "null" }],
      ["deep", { status: 200, headers: json, body: "[".repeat(50_000) }],
      ["201", { status: 201, headers: json, body: "{}" }],
      ["204", { status: 204, headers: json, body: "" }],
      ["mac", tokens({ token_type: "mac" })],
      ["an empty token", tokens({ access_token: "" })],
      ["a list for a token", tokens({ refresh_token: ["rt"] })],
      ["a line's end in a token", tokens({ access_token: "a\r\nb" })],
    ];
    // Half of them in npm test: each is a process.
    const rows = all.filter((_, at) => at % times(2, 1) === 0);
    for (const [what, wrong] of rows) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      issuer.misbehave.token = wrong;
      await using program = startLogin(home, issuer);
      const steps = await visit(await program.authUrl());
      assert.ok((steps.at(-1)?.reply.status ?? 0) >= 500, what);
      await assertFailed(
        program,
        issuer,
        home,
        /TOKEN_RESPONSE_INVALID|RESPONSE_TOO_LARGE|CAPTIVE_PORTAL|TOKEN_ENDPOINT|ISSUER_\w+/,
      );
      assert.equal(issuer.asked("token").length, 1, what);
    }
  },
);

verifies(
  "S31",
  `${SUBJECT}: no redirect of the token, device or revocation endpoint is followed`,
  SLOW,
  async () => {
    await using elsewhere = await occupy(0);
    for (const status of [307, 301, 308].slice(0, times(1, 3))) {
      await using issuer = await startIssuer();
      for (const target of [`http://127.0.0.1:${elsewhere.port}/x`, `${issuer.url}/stolen`]) {
        const away = { status, headers: { location: target } };
        issuer.misbehave.token = away;
        issuer.misbehave.deviceCode = away;
        issuer.misbehave.revoke = away;
        issuer.misbehave.refresh = away;
        await using home = await createHome();
        await home.writeAuth(EARLIER);
        await using program = startLogin(home, issuer);
        await visit(await program.authUrl());
        await assertFailed(program, issuer, home, /\w+/);
        const device = ["login", "--device-auth", "--issuer", issuer.url];
        await using other = startProgram(home, device);
        await assertFailed(other, issuer, home, /\w+/);
        await storeLogin(home, issuer, -10);
        const token = await runProgram(home, ["token"]);
        assert.ok(token.exitCode === 5 && token.stdout === "", token.stderr);
        const logout = await runProgram(home, ["logout"]);
        assert.equal(logout.exitCode, 0, logout.stderr);
        assert.match(logout.stderr, /not revoked|could not be revoked|revoc/i);
        assertNoSecrets(token.stderr + logout.stderr, issuer);
      }
      assert.equal(issuer.asked("authorize").length, 2);
      assert.ok(issuer.requests.every(({ url }) => url.pathname !== "/stolen"));
    }
    assert.equal(elsewhere.connections, 0);
  },
);

verifies(
  "S35",
  `${SUBJECT}: a code that has left is not sent again, nor is a refresh token; a device poll goes on`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth(EARLIER);
    for (const wrong of [{ reset: true }, { status: 503 }, { status: 429 }]) {
      issuer.misbehave.token = wrong;
      const before = issuer.asked("token").length;
      await using program = startLogin(home, issuer);
      await visit(await program.authUrl());
      await assertFailed(program, issuer, home, /\w+/);
      assert.equal(issuer.asked("token").length, before + 1);
    }
    delete issuer.misbehave.token;

    await storeLogin(home, issuer, -10);
    const stored = await home.readAuth();
    issuer.misbehave.refresh = { reset: true };
    const refresh = await runProgram(home, ["refresh"]);
    assert.equal(refresh.exitCode, 5, refresh.stderr);
    assert.equal(issuer.asked("refresh").length, 1);
    assert.equal(await home.readAuth(), stored);

    issuer.misbehave.devicePoll = { status: 503 };
    await using device = startProgram(home, ["login", "--device-auth", "--issuer", issuer.url]);
    const [userCode] = await device.shows(/^[A-Z0-9]{4}-[A-Z0-9]{4,6}$/m);
    await device.shows(/trying again|still|busy|out of reach|answer/i);
    issuer.misbehave.devicePoll = { reset: true };
    delete issuer.misbehave.devicePoll;
    issuer.enterCode(userCode);
    const ended = await device.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.ok(issuer.asked("devicePoll").length >= 2);
  },
);

/** Every way to move a cursor, set a title, write a clipboard, hide text or turn it round. */
const ESCAPES =
  "\u001b[31mred\u001b]0;title\u0007\u001b]52;c;eA==\u0007\u009b2J\u202e\u2066\u200b\u0000";
const UNCLEAN = /[^\P{C}\n\u00ad]|[\u2028\u2029]/u;

verifies(
  ["S20", "S65"],
  `${SUBJECT}: what tokens say of a person reaches terminal, page and log clean`,
  SLOW,
  async () => {
    const user = {
      ...ADA,
      email: `ada${ESCAPES}@example.com`,
      plan: `plus${ESCAPES}`,
      workspaceName: `Org${ESCAPES}<script>alert(1)</script>`,
    };
    await using issuer = await startIssuer({ users: [user] });
    await using home = await createHome();
    await using program = startLogin(home, issuer, ["--verbose"]);
    const steps = await visit(await program.authUrl());
    const page = steps.at(-1)?.reply.body ?? "";
    const ended = await program.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    const status = await runProgram(home, ["status"]);
    const json = await runProgram(home, ["status", "--json"]);
    assert.deepEqual([status.exitCode, json.exitCode], [0, 0]);
    const told = {
      page,
      said: ended.stderr,
      status: status.stderr + status.stdout,
      json: json.stdout,
    };
    for (const [place, text] of Object.entries({ ...told, log: await home.textOutsideAuth() })) {
      assert.doesNotMatch(text, UNCLEAN, place);
    }
    assert.match(status.stderr + status.stdout, /ada/);
    assert.ok(!page.includes("<script>alert"));
  },
);

verifies(
  ["S40", "S41", "S42", "S65"],
  `${SUBJECT}: a hostile device answer is refused, or shown clean, and no sooner asked again than each second`,
  SLOW,
  async () => {
    const start = (home: TestHome, issuer: TestIssuer): Program =>
      startProgram(home, ["login", "--device-auth", "--issuer", issuer.url]);
    const codes = [ESCAPES, "ABCD\n1234-EFGH", "", "x", "A".repeat(40), ["ABCD-1234"]];
    for (const code of codes.slice(0, times(2, codes.length))) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      issuer.misbehave.deviceCode = { change: (answer) => ({ ...answer, user_code: code }) };
      await using program = start(home, issuer);
      await assertFailed(program, issuer, home, /\w+/);
      assert.doesNotMatch(program.stderr(), UNCLEAN);
      assert.equal(issuer.asked("devicePoll").length, 0);
    }

    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth(EARLIER);
    const askedAt: number[] = [];
    const thirdPoll = deferred<void>();
    issuer.misbehave.deviceCode = { change: (answer) => ({ ...answer, interval: 0 }) };
    issuer.misbehave.devicePoll = {
      status: 403,
      get body(): string {
        if (askedAt.push(performance.now()) === 3) thirdPoll.resolve();
        return '{"error":{"code":"deviceauth_authorization_unknown"}}';
      },
    };
    await using program = start(home, issuer);
    const [userCode] = await program.shows(/^[A-Z0-9]{4}-[A-Z0-9]{4,6}$/m);
    await program.shows(/Never enter a code that somebody else sent you/);
    assert.ok(program.stderr().includes(`\n${issuer.url}/codex/device\n`));
    await thirdPoll.promise;
    const [first = 0, , third = 0] = askedAt;
    assert.ok(third - first > 1_900, `${third - first} ms for two intervals`);
    // The grant comes with a verifier that is not the challenge's.
    delete issuer.misbehave.devicePoll;
    issuer.misbehave.devicePoll = {
      change: (answer) => ({ ...answer, code_verifier: "v".repeat(43) }),
    };
    issuer.enterCode(userCode);
    await assertFailed(program, issuer, home, /\w+/);
    assert.equal(issuer.asked("token").length, 0);
  },
);

verifies(
  "S39",
  `${SUBJECT}: a clock that is wrong by years refuses no login, is told, and makes no loop`,
  { ...SLOW, skip: missingTool("faketime", "--version") },
  async () => {
    await using issuer = await startIssuer();
    for (const shift of ["+3y", "-3y"]) {
      await using home = await createHome();
      const wrapper = ["faketime", "-f", shift];
      await using program = startLogin(home, issuer, [], { wrapper });
      await visit(await program.authUrl());
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.match(ended.stderr, /clock/);
      const before = issuer.asked("refresh").length;
      const tokens = [];
      for (let i = 0; i < 3; i++) tokens.push(await runProgram(home, ["token"], { wrapper }));
      assert.deepEqual(tokens.map(({ exitCode }) => exitCode), [0, 0, 0], tokens[0]?.stderr);
      // By such a clock each token has expired: it is renewed once a call, and given out with a note.
      assert.equal(issuer.asked("refresh").length - before, shift.startsWith("+") ? 3 : 0);
      assert.ok(tokens.every(({ stdout }) => stdout.trim().length > 20));
    }
  },
);

verifies(
  ["S8", "S36"],
  `${SUBJECT}: what an issuer echoes of our own is cut out, in whatever form it comes back`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth(EARLIER);
    issuer.misbehave.token = { echoes: true };
    await using program = startLogin(home, issuer, ["--verbose"]);
    const callback = await obtainCallback(await program.authUrl());
    const page = await get(callback);
    assert.ok(page.status >= 400);
    const code = new URL(callback).searchParams.get("code") ?? "";
    assert.ok(code.length > 20 && !page.body.includes(code));
    await assertFailed(program, issuer, home, /\w+/);
  },
);

verifies(
  "S36",
  `${SUBJECT}: the query of an address that a variable names is not shown when it is echoed`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const key = "query-canary-0123456789";
    const echo = {
      status: 400,
      body: JSON.stringify({ error: "x", error_description: `cannot POST /oauth/x?key=${key}` }),
    };
    issuer.misbehave.refresh = echo;
    issuer.misbehave.revoke = echo;
    const env = {
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token?key=${key}`,
      CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/revoke?key=${key}`,
    };
    for (const args of [["refresh", "--verbose"], ["token"], ["doctor"], ["logout", "--verbose"]]) {
      const { stdout, stderr } = await runProgram(home, args, { env });
      assert.ok(!(stdout + stderr).includes(key), `${args}: ${stderr}`);
    }
    assert.equal(issuer.asked("revoke").length > 0, true);
    assert.ok(!(await home.textOutsideAuth()).includes(key));
  },
);

// Tokens here are made by the tests' own hands: a good one is accepted, so that a refusal means something.
verifies(
  "S37",
  `${SUBJECT}: the same issuer's good ID token is accepted`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({ tls: TLS });
    issuer.misbehave.token = {
      change: (answer) => {
        const [, payload = ""] = String(answer["id_token"]).split(".");
        const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
        assert.notEqual(encode(claims), "");
        return { ...answer, id_token: signJwt({ ...claims, azp: claims.aud[0], extra: [1] }) };
      },
    };
    await using home = await createHome();
    const env = { CODEX_CA_CERTIFICATE: CA_PATH };
    await using program = startLogin(home, issuer, [], { env });
    assert.equal((await get(await obtainCallbackByTls(await program.authUrl()))).status, 303);
    assert.equal((await program.ended).exitCode, 0);
  },
);
