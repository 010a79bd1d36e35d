import assert from "node:assert/strict";
import { createSession } from "./testing/cookie_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { type JudgingIssuer, startOidcProvider } from "./testing/oidc_provider.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { verifies } from "./testing/verifies.ts";

async function signIn(
  home: TestHome,
  issuer: JudgingIssuer,
  session: ReturnType<typeof createSession>,
): Promise<{ refreshToken: string; stderr: string }> {
  await using program = startLogin(home, issuer, ["--client-id", issuer.clientId]);
  const page = await session.signIn(await program.authUrl());
  const { exitCode, stderr } = await program.ended;
  assert.equal(
    exitCode,
    0,
    `${stderr}\n${issuer.errors.join("\n")}\n${page.status} ${page.body.slice(0, 300)}`,
  );
  assert.match(page.body, /You are signed in/);
  const tokens = (await home.authJson())["tokens"] as Record<string, string>;
  return { refreshToken: tokens["refresh_token"] ?? "", stderr };
}

verifies(
  ["S6", "S7", "S9"],
  `${SUBJECT}: oidc-provider accepts our requests, and the API-key exchange`,
  {
    timeout: 60_000,
  },
  async () => {
    await using issuer = await startOidcProvider();
    await using home = await createHome();
    await signIn(home, issuer, createSession({ login: "ada", password: "x" }));
    assert.deepEqual(issuer.errors, []);
    assert.equal((await home.authJson())["OPENAI_API_KEY"], "sk-judge-0123456789");
    const status = JSON.parse((await runProgram(home, ["status", "--json"])).stdout);
    assert.equal(status.account.email, "ada@example.com");
    assert.equal(status.issuer, issuer.url);
  },
);

verifies(
  "S48",
  `${SUBJECT}: after two logins of one user in one browser session the second still refreshes`,
  {
    timeout: 60_000,
  },
  async () => {
    await using issuer = await startOidcProvider();
    await using home = await createHome();
    const session = createSession({ login: "ada", password: "x" });
    const first = await signIn(home, issuer, session);
    const second = await signIn(home, issuer, session);
    assert.notEqual(first.refreshToken, second.refreshToken);
    assert.match(second.stderr, /left to expire/);
    // It reads no JSON at this endpoint, so this also tries the form of RFC 6749, and it ends a grant whose token comes twice.
    for (let i = 0; i < 2; i++) {
      const renewed = await runProgram(home, ["refresh"]);
      assert.equal(renewed.exitCode, 0, `${renewed.stderr}${issuer.errors.join()}`);
    }
    const tokens = (await home.authJson())["tokens"] as Record<string, string>;
    assert.notEqual(tokens["refresh_token"], second.refreshToken);
    const refreshed = await issuer.refresh(tokens["refresh_token"] ?? "");
    assert.equal(refreshed.status, 200);
    assert.ok(refreshed.body["access_token"]);
  },
);

verifies(
  "S61",
  `${SUBJECT}: another user's login is really over at oidc-provider, and so is one after logout`,
  { timeout: 60_000 },
  async () => {
    await using issuer = await startOidcProvider();
    await using home = await createHome();
    const bob = await signIn(home, issuer, createSession({ login: "bob", password: "x" }));
    const ada = await signIn(home, issuer, createSession({ login: "ada", password: "x" }));
    assert.match(ada.stderr, /The earlier login of bob@example\.com was revoked/);
    assert.equal((await issuer.refresh(bob.refreshToken)).status, 400);

    const { exitCode, stderr } = await runProgram(home, ["logout"]);
    assert.equal(exitCode, 0);
    assert.match(stderr, /revoked at the issuer/);
    assert.equal((await issuer.refresh(ada.refreshToken)).status, 400);
  },
);
