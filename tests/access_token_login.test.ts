import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { header, startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { ADA } from "./testing/users.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";

const TOKEN = "at-0123456789abcdefghijklmnop";

async function run(
  home: TestHome,
  issuer: TestIssuer,
  input: string,
  ...args: string[]
): Promise<{ exitCode: number; world: TestWorld; words: string }> {
  const world = await createWorld({ stdin: { read: () => Promise.resolve(Buffer.from(input)) } });
  const exitCode = await runCli([
    "login",
    "--with-access-token",
    "--issuer",
    issuer.url,
    "--codex-home",
    home.path,
    ...args,
  ], world);
  return { exitCode, world, words: world.words.join("\n") };
}

test("login --with-access-token asks whose the token is and saves it in the reference's form", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  issuer.personalAccessTokens.set(TOKEN, ADA);
  const { exitCode, words } = await run(home, issuer, `${TOKEN}\n`);
  assert.equal(exitCode, 0, words);
  assert.equal(
    await home.readAuth(),
    `{\n  "OPENAI_API_KEY": null,\n  "personal_access_token": "${TOKEN}"\n}`,
  );
  assert.match(words, /Signed in as ada@example\.com \(plan plus, workspace acct-1111\)/);
  assert.ok(!(words + await home.textOutsideAuth()).includes(TOKEN));
  const [request] = issuer.asked("whoami");
  assert.equal(request?.url.pathname, "/api/accounts/v1/user-auth-credential/whoami");
  assert.deepEqual(
    request?.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()),
    ["authorization", "originator", "user-agent", "accept", "host"],
  );
  assert.equal(request && header(request, "authorization"), `Bearer ${TOKEN}`);

  const { world } = await run(home, issuer, TOKEN, "--json");
  assert.deepEqual(JSON.parse(world.data[0] ?? "").account, {
    email: "ada@example.com",
    plan: "plus",
    accountId: "acct-1111",
    userId: "user-ada",
  });
});

test("login --with-access-token saves nothing that is not accepted, and says why", async () => {
  type Wrong = TestIssuer["misbehave"]["whoami"];
  const rows: [input: string, wrong: Wrong, args: string[], expected: RegExp, exitCode: number][] =
    [
      [TOKEN, undefined, [], /ACCESS_TOKEN_INVALID[^]*HTTP 401/, 1],
      ["sk-0123456789", undefined, [], /use --with-api-key/, 1],
      ["aaa.bbb.ccc", undefined, [], /it is a JWT/, 1],
      ["hello", undefined, [], /does not begin with at-/, 1],
      ["", undefined, [], /is CODEX_ACCESS_TOKEN set/, 1],
      [TOKEN, { status: 500, body: "<html>" }, [], /ISSUER_FAULT[^]*HTTP 500/, 1],
      [TOKEN, { status: 200, body: "{}" }, [], /"chatgpt_user_id" is missing/, 1],
      [TOKEN, { status: 200, body: "[" }, [], /not a JSON object/, 1],
      [TOKEN, { reset: true }, [], /CONNECTION_RESET/, 5],
      [TOKEN, undefined, ["--with-api-key"], /USAGE/, 2],
      [TOKEN, undefined, ["--port", "0"], /USAGE/, 2],
      [TOKEN, undefined, ["-c", "forced_login_method=api"], /LOGIN_METHOD_FORBIDDEN/, 1],
    ];
  for (const [input, wrong, args, expected, code] of rows) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    if (wrong) issuer.misbehave.whoami = wrong;
    const { exitCode, words } = await run(home, issuer, input, ...args);
    assert.equal(exitCode, code, words);
    assert.match(words, expected);
    assert.ok(!(await home.list()).includes("auth.json"));
    assert.ok(!(words + await home.textOutsideAuth()).includes(TOKEN));
  }
});

test("login --with-access-token checks the workspace before it saves", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  issuer.personalAccessTokens.set(TOKEN, ADA);
  const wrong = await run(home, issuer, TOKEN, "--expect-workspace", "acct-9");
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.words, /WORKSPACE_MISMATCH/);
  assert.ok(!(await home.list()).includes("auth.json"));
  const right = await run(home, issuer, TOKEN, "-c", "forced_chatgpt_workspace_id=acct-1111");
  assert.equal(right.exitCode, 0, right.words);
});
