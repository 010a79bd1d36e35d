import assert from "node:assert/strict";
import { test } from "node:test";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import {
  everyProgram,
  programCommand,
  runProgram,
  startProgram,
  SUBJECT,
} from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };

verifies(
  "S58",
  `${SUBJECT}: token renews an expired login and prints the token alone`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const { exitCode, stdout, stderr } = await runProgram(home, ["token"]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, "");
    const tokens = assertReferenceReads(await home.readAuth())["tokens"] as Record<string, string>;
    assert.equal(stdout, `${tokens["access_token"]}\n`);
    assert.equal((await runProgram(home, ["token"])).stdout, stdout);
    assert.equal(issuer.asked("refresh").length, 1);
    const refreshed = await runProgram(home, ["refresh", "--json"]);
    assert.equal(refreshed.exitCode, 0, refreshed.stderr);
    assert.equal(JSON.parse(refreshed.stdout).refreshed, true);
    assertNoSecrets(refreshed.stdout + refreshed.stderr + await home.textOutsideAuth(), issuer);
  },
);

test(`${SUBJECT}: a signal during a refresh ends the program after the save`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  let answer: (() => void) | undefined;
  issuer.misbehave.refresh = { after: new Promise((resolve) => answer = resolve) };
  await using program = startProgram(home, ["token"]);
  while (issuer.asked("refresh").length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGINT"] as const) program.kill(signal);
  answer?.();
  const { exitCode, stdout } = await program.ended;
  // Which of several signals comes first is the system's choice.
  assert.ok([129, 130, 143].includes(exitCode ?? 0), `${exitCode}`);
  assert.equal(stdout, "");
  const tokens = assertReferenceReads(await home.readAuth())["tokens"] as Record<string, string>;
  assert.ok(issuer.liveRefreshTokens.has(tokens["refresh_token"] ?? ""));
});

verifies(
  "S57",
  `${SUBJECT}: twenty processes share one expired login: one request, twenty equal tokens`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    // With the executable, which is built by then: of every kind.
    const programs = SUBJECT === "executable" ? everyProgram() : [programCommand()];
    assert.equal(programs.length, SUBJECT === "executable" ? 4 : 1);
    const all = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => runProgram(home, ["token"], { program: programs[i % programs.length] ?? [] }),
      ),
    );
    for (const { exitCode, stderr } of all) assert.equal(exitCode, 0, stderr);
    assert.equal(new Set(all.map(({ stdout }) => stdout)).size, 1);
    assert.match(all[0]?.stdout ?? "", /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    assert.equal(issuer.asked("refresh").length, 1);
    assert.equal(issuer.liveRefreshTokens.size, 1);
  },
);
