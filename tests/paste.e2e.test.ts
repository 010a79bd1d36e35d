import assert from "node:assert/strict";
import { test } from "node:test";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startProgram, SUBJECT } from "./testing/program.ts";

test(
  `${SUBJECT}: --paste takes the redirect address from a pipe, after a wrong one, while stdin stays open`,
  {
    timeout: 60_000,
  },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const args = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser", "--paste"];
    await using program = startProgram(home, args, { keepsStdin: true });
    const callback = await obtainCallback(await program.authUrl());
    const { stdin } = program.child;
    stdin?.write(`${callback.replace(/state=[^&]+/, "state=old")}\n`);
    await program.shows(/belongs to another sign-in, perhaps to an older try/);
    stdin?.write(`${callback.slice(0, 70)}\n${callback.slice(70)}\n`);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Signed in as ada@example\.com/);
    assert.equal(stdout, "");
    const { tokens } = await home.authJson();
    assert.ok(tokens);
    assertNoSecrets(stderr, issuer);
  },
);

test(`${SUBJECT}: --paste with an empty stdin goes on with the browser`, {
  timeout: 60_000,
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const args = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser", "--paste"];
  await using program = startProgram(home, args);
  await visit(await program.authUrl());
  assert.equal((await program.ended).exitCode, 0, program.stderr());
});
