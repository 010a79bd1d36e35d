import assert from "node:assert/strict";
import { createHome } from "./testing/home.ts";
import { type Misbehaviour, startIssuer } from "./testing/issuer.ts";
import { signJwt } from "./testing/jwt.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { runProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA, authClaim, BOB } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };

const refused = (code: string, status = 401): Misbehaviour => ({
  status,
  body: JSON.stringify({ error: { code, message: "no" } }),
});

/** What the issuer says, how the program ends, and what it calls that. */
const ANSWERS: readonly (readonly [what: string, wrong: Misbehaviour, exitCode: number, RegExp])[] =
  [
    ["invalid_grant", { status: 400, body: '{"error":"invalid_grant"}' }, 4, /REFRESH/],
    ["reused", refused("refresh_token_reused"), 4, /REFRESH_TOKEN_REUSED/],
    ["expired", refused("refresh_token_expired"), 4, /REFRESH_TOKEN_EXPIRED/],
    ["invalidated", refused("refresh_token_invalidated"), 4, /REFRESH_TOKEN/],
    ["500", { status: 500, body: "oh" }, 5, /REFRESH_FAILED/],
    ["503", { status: 503, headers: { "retry-after": "1" } }, 5, /error/],
    ["429", { status: 429 }, 5, /error/],
    ["a connection that breaks", { reset: true }, 5, /CONNECTION_RESET/],
  ];

verifies(
  "S59",
  `${SUBJECT}: a refusal for good asks to sign in, trouble asks to try again, and both leave the file`,
  SLOW,
  async () => {
    await Promise.all(ANSWERS.map(async ([what, wrong, exitCode, code]) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, -10);
      const before = await home.readAuth();
      issuer.misbehave.refresh = wrong;
      const ended = await runProgram(home, ["token"]);
      assert.equal(ended.exitCode, exitCode, `${what}: ${ended.stderr}`);
      assert.equal(ended.stdout, "");
      assert.match(ended.stderr, /^error\[[A-Z_]+\]: /m);
      assert.match(ended.stderr, code, what);
      assert.equal(/^ +try: +codex-login$/m.test(ended.stderr), exitCode === 4, ended.stderr);
      assert.equal(await home.readAuth(), before);
      assertNoSecrets(ended.stderr + await home.textOutsideAuth(), issuer);
      if (exitCode === 4) return;
      // What is only out of order works the next time.
      delete issuer.misbehave.refresh;
      const next = await runProgram(home, ["refresh"]);
      const isAnswered = !wrong.reset && wrong.status !== undefined;
      if (isAnswered) assert.equal(next.exitCode, 0, `${what}: ${next.stderr}`);
    }));
  },
);

verifies(
  "S60",
  `${SUBJECT}: what a renewal leaves out stays as it was, and another user's tokens are refused`,
  SLOW,
  async () => {
    const names = ["id_token", "access_token", "refresh_token"] as const;
    await Promise.all(names.map(async (name) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const { tokens } = await storeLogin(home, issuer, -10);
      issuer.misbehave.refresh = { change: ({ [name]: _, ...rest }) => rest };
      const { exitCode, stderr } = await runProgram(home, ["refresh"]);
      assert.equal(exitCode, 0, stderr);
      const stored = (await home.authJson())["tokens"] as Record<string, string>;
      for (const member of names) {
        assert.equal(stored[member] === tokens[member], member === name, `${name}: ${member}`);
      }
    }));

    type Tokens = Record<string, unknown>;
    const strangers: readonly ((tokens: Tokens, bob: Tokens) => Tokens)[] = [
      (tokens, { id_token }) => ({ ...tokens, id_token }),
      (tokens, { access_token }) => ({ ...tokens, access_token }),
      ({ id_token: _, ...rest }, { access_token }) => ({ ...rest, access_token }),
      (tokens) => ({
        ...tokens,
        id_token: signJwt({
          sub: ADA.sub,
          "https://api.openai.com/auth": { ...authClaim(ADA), chatgpt_account_id: "acct-9" },
        }),
      }),
    ];
    await Promise.all(strangers.map(async (change) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, -10);
      const before = await home.readAuth();
      issuer.misbehave.refresh = { change: (tokens) => change(tokens, issuer.issue(BOB)) };
      const { exitCode, stdout, stderr } = await runProgram(home, ["token"]);
      assert.equal(exitCode, 4, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /error\[ACCOUNT_MISMATCH\]/);
      assert.equal(await home.readAuth(), before);
      assertNoSecrets(stderr + await home.textOutsideAuth(), issuer);
    }));
  },
);
