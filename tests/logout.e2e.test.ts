import assert from "node:assert/strict";
import { createHome, type TestHome } from "./testing/home.ts";
import { type Misbehaviour, startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { type Ended, runProgram, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };

interface Hanging {
  readonly issuer: TestIssuer;
  readonly home: TestHome;
  readonly ended: Promise<Ended>;
}

/** Ten seconds that nothing can shorten: they pass while the other tests of this file run. */
let hanging: Promise<Hanging> | undefined;

async function logoutAtHangingIssuer(): Promise<Hanging> {
  const issuer = await startIssuer();
  const home = await createHome();
  await storeLogin(home, issuer, 3_600);
  issuer.misbehave.revoke = { hang: true };
  return { issuer, home, ended: runProgram(home, ["logout"]) };
}

/** The login is away here, whatever the issuer said, and no word holds a part of it. */
async function assertRemoved(
  { home, issuer }: { home: TestHome; issuer: TestIssuer },
  { exitCode, stdout, stderr }: Ended,
): Promise<void> {
  assert.equal(exitCode, 0, stderr);
  const left = (await home.list()).filter((name) => /auth\.json$|tmp$|pending$/.test(name));
  assert.deepEqual(left, []);
  assertNoSecrets(stdout + stderr + await home.textOutsideAuth(), issuer);
  const status = await runProgram(home, ["status"]);
  assert.equal(status.exitCode, 1, status.stderr);
}

verifies("S61", `${SUBJECT}: a logout says whether the issuer ended the login`, SLOW, async () => {
  hanging ??= logoutAtHangingIssuer();
  const answers: readonly (readonly [wrong: Misbehaviour | undefined, error: RegExp | null])[] = [
    [undefined, null],
    [{ status: 500 }, /^TOKEN_ENDPOINT$/],
    [{ status: 400, body: '{"error":"unsupported_token_type"}' }, /^\w+$/],
    [{ status: 307, headers: { location: "http://127.0.0.1:1/" } }, /^\w+$/],
    [{ reset: true }, /^CONNECTION_RESET$/],
  ];
  await Promise.all(answers.map(async ([wrong, error]) => {
    for (const json of [[], ["--json"]]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, 3_600);
      if (wrong) issuer.misbehave.revoke = wrong;
      const ended = await runProgram(home, ["logout", ...json]);
      await assertRemoved({ home, issuer }, ended);
      assert.equal(issuer.liveRefreshTokens.size, error ? 1 : 0);
      if (json.length > 0) {
        const told = JSON.parse(ended.stdout);
        assert.deepEqual([told.removed, told.revoked], [true, error === null]);
        if (error) assert.match(told.revocationError, error);
      } else {
        assert.match(ended.stderr, /removed from this machine/);
        assert.match(ended.stderr, error ? /could not be revoked \(\w+/ : /revoked at the issuer/);
      }
    }
  }));
});

verifies(
  "S61",
  `${SUBJECT}: a logout where the issuer is gone is a logout here`,
  SLOW,
  async () => {
    const issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, 3_600);
    await issuer[Symbol.asyncDispose]();
    const ended = await runProgram(home, ["logout"]);
    await assertRemoved({ home, issuer }, ended);
    assert.match(ended.stderr, /could not be revoked \(CONNECT_REFUSED/);
  },
);

verifies(
  "S61",
  `${SUBJECT}: a signal while the issuer is asked ends the logout, and the login stays`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, 3_600);
    const before = await home.readAuth();
    issuer.misbehave.revoke = { hang: true };
    await using program = startProgram(home, ["logout"]);
    while (issuer.asked("revoke").length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    program.kill("SIGINT");
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 130, stderr);
    assert.equal(await home.readAuth(), before);
  },
);

verifies(
  "S61",
  `${SUBJECT}: a logout whose issuer hangs has its ten seconds, and removes the login`,
  SLOW,
  async () => {
    const { issuer, home, ended } = await (hanging ??= logoutAtHangingIssuer());
    try {
      await assertRemoved({ home, issuer }, await ended);
      const { stderr } = await ended;
      assert.match(stderr, /removed from this machine[^]*could not be revoked \(RESPONSE_TIMEOUT/);
      assert.equal(issuer.asked("revoke").length, 1);
    } finally {
      await issuer[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    }
  },
);
