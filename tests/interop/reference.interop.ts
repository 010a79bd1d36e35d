import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "../../src/system_world.ts";
import { VERSION } from "../../src/version.ts";
import { visit } from "../testing/fake_browser.ts";
import { createHome } from "../testing/home.ts";
import { header, startIssuer } from "../testing/issuer.ts";
import { holdLock } from "../testing/lock_holder.ts";
import { everyProgram, runProgram, startLogin, startProgram } from "../testing/program.ts";
import { assertReferenceReads } from "../testing/reference_rules.ts";
import { storeLogin } from "../testing/stored_login.ts";
import { missingTool } from "../testing/tools.ts";
import { refreshByReference, runReference, startReference } from "./reference.ts";

const SLOW = { timeout: 120_000 };
const KEY = "sk-proj-0123456789abcdefghijklmnop";

test("the reference's status and logout accept what our login saved", SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer);
  await visit(await program.authUrl());
  assert.equal((await program.ended).exitCode, 0);
  const status = await runReference(home, issuer, ["login", "status"]);
  assert.equal(status.exitCode, 0, status.stderr);
  assert.match(status.stderr, /Logged in using ChatGPT/);
  const out = await runReference(home, issuer, ["logout"]);
  assert.equal(out.exitCode, 0, out.stderr);
  assert.equal(issuer.liveRefreshTokens.size, 0);
  assert.equal((await runProgram(home, ["status"])).exitCode, 1);
});

test("our status, token and logout accept what the reference saved", SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const saved = await runReference(home, issuer, ["login", "--with-api-key"], { input: KEY });
  assert.equal(saved.exitCode, 0, saved.stderr);
  assert.equal((await runProgram(home, ["status"])).exitCode, 0);
  assert.equal((await runProgram(home, ["token"])).stdout, `${KEY}\n`);
  assert.equal((await runProgram(home, ["logout"])).exitCode, 0);
  assert.match((await runReference(home, issuer, ["login", "status"])).stderr, /Not logged in/);

  // A login that the reference has renewed, and so written itself.
  const { tokens } = await storeLogin(home, issuer, -10);
  const renewed = await refreshByReference(home, issuer);
  assert.ok(renewed !== undefined && renewed !== tokens["access_token"]);
  assertReferenceReads(await home.readAuth());
  assert.equal((await runProgram(home, ["token"])).stdout, `${renewed}\n`);
  assert.equal((await runProgram(home, ["refresh"])).exitCode, 0);
  assert.equal((await runReference(home, issuer, ["login", "status"])).exitCode, 0);
  assert.equal((await runProgram(home, ["logout"])).exitCode, 0);
  assert.equal(issuer.liveRefreshTokens.size, 0);
});

test(
  "with the reference among them ours send no token twice, and recover when it wins",
  SLOW,
  async () => {
    const programs = everyProgram();
    for (let round = 0; round < 4; round++) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await storeLogin(home, issuer, -10);
      const theirs = Promise.all([
        refreshByReference(home, issuer),
        refreshByReference(home, issuer),
      ]);
      // Either side is given a start now and then, so that each wins some rounds.
      await sleep(round * 25);
      const ours = await Promise.all(
        Array.from(
          { length: 18 },
          (_, i) => runProgram(home, ["token"], { program: programs[i % programs.length] ?? [] }),
        ),
      );
      await theirs;
      for (const { exitCode, stderr } of ours) assert.equal(exitCode, 0, stderr);
      const sent = issuer.asked("refresh").filter((request) =>
        header(request, "user-agent").startsWith(`codex_cli_rs/${VERSION} `)
      ).map(({ body }) => JSON.parse(body).refresh_token as string);
      assert.equal(new Set(sent).size, sent.length, "one of ours sent a token twice");
      const tokens = assertReferenceReads(await home.readAuth())["tokens"] as Record<
        string,
        string
      >;
      assert.ok(issuer.liveRefreshTokens.has(tokens["refresh_token"] ?? ""));
    }
  },
);

test("the reference waits for a lock that we would take, and we for one that it holds", {
  ...SLOW,
  skip: missingTool("strace", "-V"),
}, async () => {
  await using issuer = await startIssuer();
  for (const name of ["auth.lock", "auth.json.lock"]) {
    await using home = await createHome();
    {
      await using _held = await holdLock(`${home.path}/${name}`);
      await using theirs = startReference(home, issuer, ["login", "--with-api-key"], {
        input: KEY,
      });
      await using ours = startProgram(home, ["login", "--with-api-key"], { input: `${KEY}-ours` });
      // With the second lock held by flock(1), the reference may hold the first.
      await ours.shows(/Waiting for (flock|codex) \(process \d+\)/);
      assert.ok(!(await home.list()).includes("auth.json"));
      await _held[Symbol.asyncDispose]();
      const { exitCode, stderr } = await theirs.ended;
      assert.equal(exitCode, 0, stderr);
      assert.equal((await ours.ended).exitCode, 0);
    }
    assertReferenceReads(await home.readAuth());
  }

  // The reference, stopped for a while between its locks and its rename.
  await using home = await createHome();
  await using theirs = startReference(home, issuer, ["login", "--with-api-key"], {
    input: KEY,
    wrapper: [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "inject=rename,renameat,renameat2:delay_enter=6000000",
    ],
  });
  while (!(await home.list()).some((one) => one.startsWith(".auth-"))) await sleep(5);
  const ours = await runProgram(home, ["login", "--with-api-key"], { input: `${KEY}-ours` });
  assert.equal(ours.exitCode, 0, ours.stderr);
  assert.match(ours.stderr, /Waiting for codex \(process \d+\), which holds auth\.(json\.)?lock/);
  assert.equal((await theirs.ended).exitCode, 0);
  assert.equal((await home.authJson())["OPENAI_API_KEY"], `${KEY}-ours`);
});
