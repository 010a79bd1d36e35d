import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { deferred } from "../src/deferred.ts";
import { sleep } from "../src/system_world.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startLogin } from "./testing/login_run.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

async function signIn(home: TestHome, issuer: TestIssuer): Promise<void> {
  const run = await startLogin(home, issuer);
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0);
}

async function logout(
  home: TestHome,
  args: string[] = [],
  changes: Partial<TestWorld> = {},
): Promise<{ exitCode: number; words: string; data: string[] }> {
  const world = await createWorld(changes);
  const exitCode = await runCli(["logout", "--codex-home", home.path, ...args], world);
  return { exitCode, words: world.words.join("\n"), data: world.data };
}

test("logout revokes at the issuer of the login, then removes it", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const { exitCode, words } = await logout(home);
  assert.equal(exitCode, 0);
  assert.match(words, /removed from this machine[^]*revoked at the issuer/);
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.equal(issuer.liveRefreshTokens.size, 0);
  const [request] = issuer.asked("revoke");
  const body = JSON.parse(request?.body ?? "");
  assert.deepEqual(Object.keys(body), ["token", "token_type_hint", "client_id"]);
  assertNoSecrets(words, issuer);
});

test("logout --local-only asks nobody", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const { exitCode, words } = await logout(home, ["--local-only"]);
  assert.equal(exitCode, 0);
  assert.match(words, /issuer was not asked/);
  assert.equal(issuer.asked("revoke").length, 0);
  assert.ok(!(await home.list()).includes("auth.json"));
});

test("logout waits for a refresh that is under way, and ends what it gave", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const refreshing = runCli(["token", "--codex-home", home.path], await createWorld());
  while (issuer.asked("refresh").length === 0) await sleep(5);
  const world = await createWorld();
  const ending = runCli(["logout", "--codex-home", home.path], world);
  while (!world.words.some((line) => /^Waiting for .* auth\.refresh\.lock/.test(line))) {
    await sleep(20);
  }
  gate.resolve();
  assert.equal(await refreshing, 0);
  assert.equal(await ending, 0);
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.equal(issuer.liveRefreshTokens.size, 0);
});

verifies(
  "S61",
  "logout removes the login also when the issuer refuses, redirects or is gone, and says so",
  async () => {
    for (
      const wrong of [
        { status: 500 },
        { status: 307, headers: { location: "http://127.0.0.1:1/" } },
        { reset: true },
      ]
    ) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await signIn(home, issuer);
      issuer.misbehave.revoke = wrong;
      const { exitCode, words, data } = await logout(home, ["--json"]);
      assert.equal(exitCode, 0);
      assert.equal(words, "");
      const told = JSON.parse(data[0] ?? "");
      assert.equal(told.removed, true);
      assert.equal(told.revoked, false);
      assert.match(told.revocationError, /^(TOKEN_ENDPOINT|CONNECTION_RESET)$/);
      assert.ok(!(await home.list()).includes("auth.json"));
    }
  },
);

verifies("S61", "logout gives the issuer its time once, not once a request", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  let limits = 0;
  const asked: string[] = [];
  const { exitCode, words } = await logout(home, [], {
    // Ten seconds pass as soon as the second request is out.
    sleep: async (ms, signal) => {
      limits++;
      assert.equal(ms, 10_000);
      while (asked.length < 2 && !signal?.aborted) await sleep(1);
    },
    fetch: (_, init) => {
      asked.push(init.body ?? "");
      if (asked.length === 1) return Promise.resolve(new Response("", { status: 400 }));
      return new Promise((_resolve, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    },
  });
  assert.equal(exitCode, 0);
  assert.equal(limits, 1);
  assert.match(words, /could not be revoked \(RESPONSE_TIMEOUT/);
  assert.ok(!(await home.list()).includes("auth.json"));
});

test("logout obeys the variables that move revocations, and says so", async () => {
  await using issuer = await startIssuer();
  await using other = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const env = { CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${other.url}/oauth/revoke?x=1` };
  const { words } = await logout(home, [], { env });
  assert.match(words, /CODEX_REVOKE_TOKEN_URL_OVERRIDE decides/);
  assert.equal(issuer.asked("revoke").length, 0);
  assert.equal(other.asked("revoke")[0]?.url.search, "?x=1");
});

test("logout without a login is done at once, and makes nothing", async () => {
  await using home = await createHome();
  const { exitCode, words } = await logout(home);
  assert.equal(exitCode, 0);
  assert.equal(words, "Nobody was signed in.");
  assert.deepEqual(await home.list(), []);
});

test("logout of a damaged file says what it could not do", async () => {
  await using home = await createHome();
  await home.writeAuth("{damaged");
  assert.match((await logout(home)).words, /was damaged, so its tokens could not be revoked/);
});

test("logout removes a key and a damaged file without asking anybody", async () => {
  for (const content of [{ OPENAI_API_KEY: "sk-1" }, "{damaged", { tokens: null }]) {
    await using home = await createHome();
    await home.writeAuth(content);
    const { exitCode } = await logout(home, [], {
      fetch: () => Promise.reject(new Error("nobody is asked")),
    });
    assert.equal(exitCode, 0);
    assert.ok(!(await home.list()).includes("auth.json"));
  }
});

test("logout sends no token to an issuer that the rules refuse", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const file = await home.authJson();
  const tokens = file["tokens"] as Record<string, unknown>;
  tokens["oauth_provenance"] = { issuer: "http://evil.test", client_id: "x" };
  await home.writeAuth(file);
  const { exitCode, words } = await logout(home, [], {
    fetch: () => Promise.reject(new Error("nobody is asked")),
  });
  assert.equal(exitCode, 0);
  assert.match(words, /could not be revoked \(ISSUER_INVALID/);
});

test("logout ends an access token when there is no refresh token", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const file = await home.authJson();
  (file["tokens"] as Record<string, unknown>)["refresh_token"] = "";
  await home.writeAuth(file);
  await logout(home);
  assert.deepEqual(Object.keys(JSON.parse(issuer.asked("revoke")[0]?.body ?? "")), [
    "token",
    "token_type_hint",
  ]);
});

test("logout keeps a login that was made while the issuer was asked", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await signIn(home, issuer);
  const newer = { OPENAI_API_KEY: "sk-newer-key-0123456789" };
  const { exitCode, words } = await logout(home, [], {
    async fetch(): Promise<Response> {
      await home.writeAuth(newer);
      return Response.json({});
    },
  });
  assert.equal(exitCode, 0);
  assert.match(words, /newer login/);
  assert.deepEqual(await home.authJson(), newer);
});
