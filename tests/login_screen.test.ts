import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { obtainCallback } from "./testing/fake_browser.ts";
import { createFakeTerminal } from "./testing/fake_terminal.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { createSteppedClock } from "./testing/stepped_clock.ts";
import { createWorld } from "./testing/world.ts";

test("a login that waits explains after 30 seconds what may be wrong, and takes the address then", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const clock = createSteppedClock();
  const terminal = createFakeTerminal();
  const world = await createWorld({ ...terminal, sleep: clock.sleep, elapsed: clock.elapsed });
  const args = ["login", "--issuer", issuer.url, "--port", "0", "--codex-home", home.path];
  const running = runCli(args, world);
  while (!terminal.isOpen()) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(29_999);
  assert.ok(!terminal.drawn().includes("Nothing has come back yet"));
  await clock.advance(1);
  const drawn = terminal.drawn();
  for (const help of [/another machine/, /local network/, /HTTPS-only/, /never into a web page/]) {
    assert.match(drawn, help);
  }
  const words = [...world.words, drawn].join("\n");
  const address = words.split("\x1b").find((part) => part.startsWith("]8;;http"))?.slice(4) ?? "";
  terminal.press(`\x1b[200~${await obtainCallback(address)}\x1b[201~`);
  assert.equal(await running, 0, world.words.join("\n"));
  assert.ok(!terminal.isOpen());
  assert.match([...world.words, terminal.drawn()].join("\n"), /Signed in as ada@example\.com/);
  assertNoSecrets(terminal.drawn(), issuer);
});

test("a login that waits ends with Esc, and gives the terminal back", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const terminal = createFakeTerminal();
  const world = await createWorld(terminal);
  const args = ["login", "--issuer", issuer.url, "--port", "0", "--codex-home", home.path];
  const running = runCli(args, world);
  while (!terminal.isOpen()) await new Promise((resolve) => setImmediate(resolve));
  terminal.press("\x1b");
  assert.equal(await running, 130);
  assert.ok(!terminal.isOpen());
  assert.ok(!(await home.list()).includes("auth.json"));
});
