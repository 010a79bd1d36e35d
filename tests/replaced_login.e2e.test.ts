import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { times } from "./testing/thorough.ts";
import { ADA, BOB } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const KEY = "sk-new-0123456789abcdef";
const SLOW = { timeout: 120_000 };

async function signIn(home: TestHome, issuer: TestIssuer): Promise<string> {
  await using program = startLogin(home, issuer);
  const address = await program.authUrl();
  await visit(address);
  const { exitCode, stderr } = await program.ended;
  assert.equal(exitCode, 0, stderr);
  return stderr.replace(address, "");
}

verifies(
  "S48",
  `${SUBJECT}: the earlier login is whole, and not revoked, until the new one is on the disk`,
  SLOW,
  async () => {
    await using home = await createHome();
    const found: [endpoint: string, text: string][] = [];
    const look = ({ endpoint }: { endpoint: string }): void => {
      found.push([endpoint, readFileSync(home.authPath, "utf8")]);
    };
    await using bobs = await startIssuer({ users: [BOB], onRequest: look });
    await using adas = await startIssuer({ users: [ADA], onRequest: look });
    const { tokens } = await storeLogin(home, bobs, 3_600, BOB);
    const before = await home.readAuth();
    const words = await signIn(home, adas);
    const after = JSON.parse(await home.readAuth());
    assert.ok(adas.liveRefreshTokens.has(after.tokens.refresh_token));
    const names = found.map(([endpoint]) => endpoint);
    assert.deepEqual(names.filter((name) => ["token", "revoke"].includes(name)), [
      "token",
      "revoke",
    ]);
    for (const [endpoint, text] of found) {
      // The request for an API key runs beside the save.
      if (endpoint === "apiKey" && text !== before) assertReferenceReads(text);
      else if (endpoint !== "revoke") assert.equal(text, before, endpoint);
      else assert.deepEqual(JSON.parse(text).tokens, after.tokens);
    }
    assert.match(bobs.asked("revoke")[0]?.body ?? "", new RegExp(tokens["refresh_token"] ?? "-"));
    assert.equal(bobs.liveRefreshTokens.size, 0);
    for (const issuer of [bobs, adas]) {
      assertNoSecrets(words + await home.textOutsideAuth(), issuer);
    }
  },
);

verifies(
  "S48",
  `${SUBJECT}: a sign-in that the issuer refuses leaves the earlier login, here and there`,
  SLOW,
  async () => {
    await using home = await createHome();
    await using bobs = await startIssuer({ users: [BOB] });
    await using adas = await startIssuer({ users: [ADA] });
    await storeLogin(home, bobs, 3_600, BOB);
    const before = await home.readAuth();
    adas.misbehave.token = { status: 400, body: '{"error":"invalid_grant"}' };
    await using program = startLogin(home, adas);
    await visit(await program.authUrl());
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 1, stderr);
    assert.equal(await home.readAuth(), before);
    assert.equal(bobs.requests.length, 0);
    assert.equal(bobs.liveRefreshTokens.size, 1);
  },
);

/** What JSON can say and JavaScript cannot keep by itself; nobody may touch it all the same. Node 20 has no way to. */
const NUMBERS = SUBJECT === "bundle" ? "" : '"big":12345678901234567890,"precise":1.0,';
const ODD = `${NUMBERS}"__proto__":{"kept":["as data",null]}`;

/** The text with nothing but what a JSON text is made of. */
const bare = (text: string): string => text.replace(/\s/g, "");

verifies(
  "S50",
  `${SUBJECT}: members that nobody knows survive a renewal at every level, and every login at the top`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: fc.constantFrom("a", "é", '"', "\\") });
    for (const foreign of fc.sample(value, { numRuns: times(2, 20), seed: 7 })) {
      const odd = `${ODD},"foreign":${JSON.stringify(foreign)}`;
      await using home = await createHome();
      const { document } = await storeLogin(home, issuer, -10);
      const tokens = JSON.stringify(document["tokens"]).replace(/\}$/, `,${odd}}`);
      const known = JSON.stringify({ ...document, tokens: "TOKENS" }).replace(/\}$/, `,${odd}}`);
      await home.writeAuth(known.replace('"TOKENS"', () => tokens));
      const kept = async (count: number, step: string): Promise<void> => {
        const text = bare(await home.readAuth());
        assertReferenceReads(text);
        assert.equal(text.split(bare(odd)).length - 1, count, `${step}: ${text}`);
        assert.ok(text.includes('"mine":{"also":"kept"}'), `${step}: ${text}`);
        assert.equal(text.includes('"theirs":{"kept":[1,"two"]}'), count === 2, step);
      };
      const run = async (args: readonly string[], input = ""): Promise<void> => {
        const { exitCode, stderr } = await runProgram(home, args, { input });
        assert.equal(exitCode, 0, stderr);
      };
      await run(["refresh"]);
      await kept(2, "refresh");
      await signIn(home, issuer);
      await kept(1, "login");
      await run(["login", "--with-api-key"], KEY);
      await kept(1, "login --with-api-key");
      await signIn(home, issuer);
      await kept(1, "login over a key");
    }
  },
);
