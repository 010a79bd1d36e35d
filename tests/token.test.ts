import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { LoginError } from "../src/errors.ts";
import type { World } from "../src/world.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { type Misbehaviour, startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA, BOB } from "./testing/users.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

interface Ran {
  readonly exitCode: number;
  readonly out: string[];
  readonly words: string;
}

async function run(
  home: TestHome,
  args: readonly string[],
  changes: Partial<World> = {},
): Promise<Ran> {
  const world = await createWorld(changes);
  const exitCode = await runCli([...args, "--codex-home", home.path], world);
  return { exitCode, out: world.data, words: world.words.join("\n") };
}

const HOUR = 3_600;

test("token prints a good token as it is, and asks nobody", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, HOUR);
  const before = await home.readAuth();
  const { exitCode, out, words } = await run(home, ["token"]);
  assert.equal(exitCode, 0, words);
  assert.deepEqual(out, [tokens["access_token"]]);
  assert.equal(words, "");
  assert.equal(issuer.requests.length, 0);
  assert.equal(await home.readAuth(), before);

  const json = await run(home, ["token", "--json"]);
  const { accessToken, expiresAt, accountId, authMode, ...rest } = JSON.parse(json.out[0] ?? "");
  assert.deepEqual([accessToken, accountId, authMode, rest], [
    tokens["access_token"],
    "acct-1111",
    "chatgpt",
    {},
  ]);
  assert.match(expiresAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

verifies(
  "S58",
  "token renews five minutes before the end, keeps all members, and saves before it prints",
  async () => {
    for (const [lifetimeS, isRenewed] of [[290, true], [310, false], [-10, true]] as const) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const { tokens, document } = await storeLogin(home, issuer, lifetimeS);
      const { exitCode, out, words } = await run(home, ["token"]);
      assert.equal(exitCode, 0, words);
      assert.equal(issuer.asked("refresh").length, isRenewed ? 1 : 0);
      assert.equal(out[0] !== tokens["access_token"], isRenewed);
      const stored = await home.authJson() as Record<string, Record<string, unknown>>;
      assert.equal(stored["tokens"]?.["access_token"], out[0]);
      if (!isRenewed) continue;
      assert.deepEqual(Object.keys(stored), Object.keys(document));
      assert.deepEqual(stored["mine"], document["mine"]);
      assert.deepEqual(stored["tokens"]?.["theirs"], { kept: [1, "two"] });
      assert.equal(stored["tokens"]?.["login_owner_id"], "b3duZXItb2YtYS10ZXN0LWxvZ2lu");
      assert.ok(issuer.liveRefreshTokens.has(String(stored["tokens"]?.["refresh_token"])));
      assert.match(String(stored["last_refresh"]), /^\d{4}-.*\.\d{9}Z$/);
      assert.equal(
        JSON.parse(issuer.asked("refresh")[0]?.body ?? "").refresh_reason,
        "proactive_expiry",
      );
      assert.equal(await home.mode("auth.json"), "600");
      assertNoSecrets(words + await home.textOutsideAuth(), issuer);
      assert.ok(!(await home.list()).includes("auth.refresh.sent"));
    }
  },
);

test("token renews a token that does not say its end after eight days", async () => {
  for (
    const [days, isRenewed] of [[8.1, true], [7.9, false], [undefined, false]] as const
  ) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { document } = await storeLogin(home, issuer, HOUR);
    const at = days === undefined
      ? null
      : new Date(Date.now() - days * 24 * HOUR * 1_000).toISOString();
    const tokens = { ...document["tokens"] as object, access_token: "opaque-access-token" };
    await home.writeAuth({ ...document, tokens, last_refresh: at });
    const { exitCode, words } = await run(home, ["token"]);
    assert.equal(exitCode, 0, words);
    const asked = issuer.asked("refresh");
    assert.equal(asked.length, isRenewed ? 1 : 0);
    if (isRenewed) assert.equal(JSON.parse(asked[0]?.body ?? "").refresh_reason, "scheduled");
  }
});

test("token --min-ttl renews once at most, and says when the issuer gives less", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, HOUR);
  const { exitCode, words, out } = await run(home, ["token", "--min-ttl", "480h"]);
  assert.equal(exitCode, 0, words);
  assert.equal(issuer.asked("refresh").length, 1);
  assert.match(words, /The issuer gives tokens for 10 days only/);
  assert.equal(out.length, 1);
  assert.equal((await run(home, ["token", "--min-ttl", "9d"])).exitCode, 0);
  assert.equal((await run(home, ["token", "--min-ttl", "1m"])).exitCode, 0);
  assert.equal(issuer.asked("refresh").length, 1);
  assert.equal((await run(home, ["token", "--min-ttl", "soon"])).exitCode, 2);
  assert.equal((await run(home, ["token", "--min-ttl", "30d"])).exitCode, 0);
  assert.equal(issuer.asked("refresh").length, 2);
});

test("refresh renews a good login, saves it, and shows no token", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, HOUR);
  const { exitCode, words, out } = await run(home, ["refresh"]);
  assert.equal(exitCode, 0, words);
  assert.deepEqual(out, []);
  assert.match(words, /The login was renewed; the access token is valid until 2/);
  assert.equal(JSON.parse(issuer.asked("refresh")[0]?.body ?? "").refresh_reason, "forced");
  assert.notEqual((await home.authJson() as { tokens: unknown }).tokens, tokens);
  const json = await run(home, ["refresh", "--json"]);
  assert.equal(JSON.parse(json.out[0] ?? "").refreshed, true);
  assertNoSecrets(words + json.out.join() + await home.textOutsideAuth(), issuer);
});

verifies(
  "S59",
  "token serves a stored token that still works when the issuer cannot be asked, and no other",
  async () => {
    const rows: [lifetimeS: number, args: string[], exitCode: number][] = [
      [200, [], 0],
      [25, [], 5],
      [-5, [], 5],
      [200, ["--min-ttl", "4m"], 5],
    ];
    for (const [lifetimeS, args, expected] of rows) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const { tokens } = await storeLogin(home, issuer, lifetimeS);
      const before = await home.readAuth();
      issuer.misbehave.refresh = { status: 503, body: "" };
      const { exitCode, out, words } = await run(home, ["token", ...args]);
      assert.equal(exitCode, expected, words);
      assert.deepEqual(out, expected === 0 ? [tokens["access_token"]] : []);
      assert.match(words, expected === 0 ? /could not be renewed \(REFRESH_FAILED\)/ : /HTTP 503/);
      assert.equal(await home.readAuth(), before);
    }
  },
);

verifies(
  "S59",
  "token and refresh say why a login is over, with exit code 4, and keep the file",
  async () => {
    for (
      const [body, code] of [
        ['{"error":{"code":"refresh_token_expired"}}', "REFRESH_TOKEN_EXPIRED"],
        ['{"error":{"code":"refresh_token_reused"}}', "REFRESH_TOKEN_REUSED"],
        ['{"error":{"code":"refresh_token_invalidated"}}', "REFRESH_TOKEN_REVOKED"],
        ['{"error":"invalid_grant"}', "REFRESH_REFUSED"],
      ]
    ) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, 100);
      const before = await home.readAuth();
      issuer.misbehave.refresh = { status: 401, body: body ?? "" };
      let time = 0;
      const quick = { sleep: () => Promise.resolve(), elapsed: () => time += 1_000 };
      for (const command of ["token", "refresh"]) {
        const { exitCode, out, words } = await run(home, [command], quick);
        assert.equal(exitCode, 4, words);
        assert.deepEqual(out, []);
        assert.match(words, new RegExp(`error\\[${code}\\]: [^]*HTTP 401[^]*try: {3}codex-login$`));
        assert.ok(!words.includes("an earlier renewal"), words);
      }
      assert.equal(await home.readAuth(), before);
      assertNoSecrets(await home.textOutsideAuth(), issuer);
    }
  },
);

test("token prints what other kinds of login have", async () => {
  await using home = await createHome();
  const rows: [document: Record<string, unknown>, token: string, mode: string, kind: string][] = [
    [
      { auth_mode: "apikey", OPENAI_API_KEY: "sk-1234567890" },
      "sk-1234567890",
      "apikey",
      "API key",
    ],
    [
      { personal_access_token: "at-1234567890" },
      "at-1234567890",
      "personalAccessToken",
      "access token",
    ],
  ];
  for (const [document, token, mode, kind] of rows) {
    await home.writeAuth(document);
    const { out } = await run(home, ["token", "--json"]);
    assert.deepEqual(JSON.parse(out[0] ?? ""), {
      accessToken: token,
      expiresAt: null,
      accountId: null,
      authMode: mode,
    });
    const refreshed = await run(home, ["refresh"]);
    assert.equal(refreshed.exitCode, 4);
    assert.match(refreshed.words, /only a ChatGPT login has tokens that are renewed/);
    const next = `  try:   codex-login token prints the ${kind}, which needs no renewal`;
    assert.ok(refreshed.words.endsWith(next), refreshed.words);
    assert.ok(!refreshed.words.includes(token));
  }
});

test("tokens that another program gave are printed, and renewed by that program only", async () => {
  for (const lifetimeS of [HOUR, -10]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { document, tokens } = await storeLogin(home, issuer, lifetimeS);
    await home.writeAuth({ ...document, auth_mode: "chatgptAuthTokens" });
    const before = await home.readAuth();
    const { exitCode, out, words } = await run(home, ["token"]);
    assert.equal(exitCode, 0, words);
    assert.deepEqual(out, [tokens["access_token"]]);
    assert.equal(/has expired already/.test(words), lifetimeS < 0);
    const refreshed = await run(home, ["refresh"]);
    assert.equal(refreshed.exitCode, 4);
    assert.match(
      refreshed.words,
      /the program that gave the tokens renews them\n {2}try: {3}codex-login token prints what/,
    );
    assert.equal(issuer.requests.length, 0);
    assert.equal(await home.readAuth(), before);
  }
});

test("a personal access token is given out only for an allowed workspace, and that is asked of the issuer", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const TOKEN = "at-0123456789-of-ada";
  issuer.personalAccessTokens.set(TOKEN, ADA);
  const env = { CODEX_AUTHAPI_BASE_URL: issuer.url };
  await home.writeAuth({ personal_access_token: TOKEN });
  const before = await home.readAuth();
  const forced = (id: string): string[] => ["token", "-c", `forced_chatgpt_workspace_id=${id}`];
  const unforced = await run(home, ["token"], { env });
  assert.deepEqual([unforced.exitCode, unforced.out], [0, [TOKEN]]);
  assert.equal(issuer.requests.length, 0);

  const rows: [id: string, wrong: Misbehaviour | undefined, exitCode: number, says: RegExp][] = [
    [ADA.accountId, undefined, 0, /^CODEX_AUTHAPI_BASE_URL decides[^\n]*$/],
    ["acct-9", undefined, 4, /NOT_SIGNED_IN[^]*forced_chatgpt_workspace_id; allowed: acct-9/],
    [ADA.accountId, { status: 401 }, 4, /NOT_SIGNED_IN[^]*does not accept[^]*HTTP 401/],
    [ADA.accountId, { status: 503 }, 5, /NETWORK[^]*HTTP 503[^]*run the command again/],
    [ADA.accountId, { reset: true }, 5, /CONNECTION_RESET[^]*run the command again/],
    [ADA.accountId, { status: 200, body: "{}" }, 5, /NETWORK[^]*chatgpt_user_id/],
  ];
  for (const [id, wrong, exitCode, says] of rows) {
    if (wrong) issuer.misbehave.whoami = wrong;
    const asked = issuer.asked("whoami").length;
    const stored = await run(home, forced(id), { env });
    await home.writeAuth("");
    const set = await run(home, forced(id), { env: { ...env, CODEX_ACCESS_TOKEN: TOKEN } });
    await home.writeAuth(before);
    for (const { words, out, ...ended } of [stored, set]) {
      assert.equal(ended.exitCode, exitCode, words);
      assert.match(words.replace(/^CODEX_ACCESS_TOKEN is set.*\n?/m, "").trimEnd(), says);
      assert.deepEqual(out, exitCode === 0 ? [TOKEN] : []);
      assert.ok(!words.includes(TOKEN));
    }
    assert.equal(issuer.asked("whoami").length, asked + 2);
    assert.equal(await home.readAuth(), before);
    assert.ok(!(await home.textOutsideAuth()).includes(TOKEN));
  }
});

test("a new token that has expired already by this clock is printed with a note", async () => {
  for (const args of [[], ["--min-ttl", "1h"]]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const now = (): number => Date.now() + 11 * 24 * HOUR * 1_000;
    const { exitCode, out, words } = await run(home, ["token", ...args], { now });
    assert.equal(exitCode, 0, words);
    assert.equal(out.length, 1);
    assert.match(words, /^The token has expired already, if this computer's clock is right\.$/m);
  }
});

test("a network error of token and refresh leads back to the same command", async () => {
  for (const code of ["DNS", "CONNECT_TIMEOUT", "RESPONSE_TIMEOUT", "NETWORK"] as const) {
    for (const command of ["token", "refresh"]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, -10);
      const before = await home.readAuth();
      const { exitCode, words, out } = await run(home, [command], {
        fetch: () => Promise.reject(new LoginError(code, "The issuer could not be asked")),
      });
      assert.equal(exitCode, 5);
      assert.match(words, /\n {2}try: {3}check the connection, then run the command again$/);
      assert.deepEqual(out, []);
      assert.equal(await home.readAuth(), before);
    }
  }
});

test("CODEX_ACCESS_TOKEN wins over what is stored, and that is said", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const env = { CODEX_ACCESS_TOKEN: "at-from-the-environment" };
  const { exitCode, out, words } = await run(home, ["token"], { env });
  assert.equal(exitCode, 0);
  assert.deepEqual(out, ["at-from-the-environment"]);
  assert.match(words, /CODEX_ACCESS_TOKEN is set and used/);
  const wrong = await run(home, ["token"], { env: { CODEX_ACCESS_TOKEN: "nonsense" } });
  assert.equal(wrong.exitCode, 4);
  assert.ok(!wrong.words.includes("nonsense"));
  assert.equal(issuer.requests.length, 0);
});

test("token says that somebody has to sign in, with exit code 4", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const none = await run(home, ["token"]);
  assert.equal(none.exitCode, 4);
  assert.match(none.words, /error\[NOT_SIGNED_IN\]: Nobody is signed in/);
  assert.deepEqual(await home.list(), []);

  const { document } = await storeLogin(home, issuer, -10, BOB);
  const forbidden = await run(home, ["token", "-c", "forced_chatgpt_workspace_id=acct-1111"]);
  assert.equal(forbidden.exitCode, 4);
  assert.match(forbidden.words, /forced_chatgpt_workspace_id/);
  assert.equal(issuer.requests.length, 0);

  await home.writeAuth({
    ...document,
    tokens: { ...document["tokens"] as object, refresh_token: "" },
  });
  assert.equal((await run(home, ["token"])).exitCode, 4);
  await home.writeAuth("{");
  assert.equal((await run(home, ["token"])).exitCode, 3);
});
