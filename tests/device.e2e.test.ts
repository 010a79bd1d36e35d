import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, openContext } from "./testing/chromium.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startOidcProvider } from "./testing/oidc_provider.ts";
import { type Program, runProgram, startProgram, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { missingChromium } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
const OLD_KEY = { auth_mode: "apikey", OPENAI_API_KEY: "sk-old-key-0123456789" };

function startDeviceLogin(
  home: TestHome,
  issuer: { readonly url: string },
  ...args: string[]
): Program {
  return startProgram(home, ["login", "--device-auth", "--issuer", issuer.url, ...args]);
}

/** A code alone on its line. */
async function userCodeOf(program: Program): Promise<string> {
  return (await program.shows(/^[A-Z0-9]{4}-[A-Z0-9]{4,6}$/m))[0];
}

async function polled(issuer: TestIssuer): Promise<void> {
  while (issuer.asked("devicePoll").length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

verifies(
  "S40",
  `${SUBJECT}: a sign-in with a code, over what was stored before`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await home.writeAuth({ ...OLD_KEY, mine: { kept: true } });
    await using program = startDeviceLogin(home, issuer);
    const userCode = await userCodeOf(program);
    assert.ok(program.stderr().includes(`\n${issuer.url}/codex/device\n`));
    await polled(issuer);
    issuer.enterCode(userCode);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^Signed in as ada@example\.com/m);
    const file = assertReferenceReads(await home.readAuth());
    assert.equal(file["OPENAI_API_KEY"], null);
    assert.deepEqual(file["mine"], { kept: true });
    assert.equal(await home.mode("auth.json"), "600");
    const log = await home.textOutsideAuth();
    assert.ok(!log.includes(userCode));
    assertNoSecrets(stderr + log, issuer);

    assert.deepEqual(
      new Set(issuer.requests.map(({ endpoint }) => endpoint)),
      new Set([
        "deviceCode",
        "devicePoll",
        "token",
      ]),
    );
    for (const { method, rawHeaders } of issuer.requests) {
      assert.equal(method, "POST");
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
      assert.deepEqual(names, ["content-type", "accept", "host", "content-length"]);
    }
  },
);

test(`${SUBJECT}: Ctrl-C ends the wait for a code at once and touches nothing`, SLOW, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await home.writeAuth(OLD_KEY);
  const before = await home.readAuth();
  await using program = startDeviceLogin(home, issuer, "--json");
  const shown = JSON.parse((await program.shows(/^\{.*\}$/m))[0]);
  assert.equal(shown.event, "device_code");
  assert.deepEqual(Object.keys(shown), ["event", "verificationUrl", "userCode", "expiresAt"]);
  await polled(issuer);
  const asked = performance.now();
  program.kill("SIGINT");
  const { exitCode, stdout, stderr } = await program.ended;
  // Far less in truth: a busy machine must not fail it, and a wait for the code's end would be 900 s.
  assert.ok(performance.now() - asked < 10_000);
  assert.equal(exitCode, 130, stderr);
  const failed = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  assert.equal(failed.error.code, "INTERRUPTED");
  assert.match(stderr, /your earlier login is untouched/);
  assert.equal(await home.readAuth(), before);
  assertNoSecrets(stderr + stdout + await home.textOutsideAuth(), issuer);
});

/** What a person does at oidc-provider's pages. */
async function enterCode(page: Page, program: Program, decision: "allow" | "abort"): Promise<void> {
  const url = (await program.shows(/^http:\S+\/device$/m))[0];
  await page.goto(url);
  await page.locator('input[name="user_code"]').fill(await userCodeOf(program));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Confirm Device").waitFor();
  if (decision === "abort") return await page.getByRole("button", { name: /Abort/ }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.locator('input[name="login"]').fill("ada");
  await page.locator('input[name="password"]').fill("x");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Sign-in Success").waitFor();
}

test("RFC 8628 at oidc-provider, with a person who says yes or no in Chromium", {
  ...SLOW,
  skip: missingChromium() || (SUBJECT !== "executable" && "the same for every subject"),
}, async () => {
  await using issuer = await startOidcProvider();
  await using home = await createHome();
  await using browser = await launchChromium();
  await using program = startDeviceLogin(home, issuer, "--client-id", issuer.clientId);
  await using refused = startDeviceLogin(home, issuer, "--client-id", issuer.clientId);
  const { page, requests } = await openContext(browser);
  await enterCode(page, refused, "abort");
  await enterCode(page, program, "allow");
  const { exitCode, stderr } = await program.ended;
  assert.equal(exitCode, 0, `${stderr}\n${issuer.errors.join("\n")}`);
  assert.match(stderr, /Signed in as ada@example\.com/);
  const tokens = assertReferenceReads(await home.readAuth())["tokens"] as Record<string, string>;
  assert.ok(!stderr.includes(tokens["refresh_token"] ?? ""));
  // The provider's own pages ask for a font, which they do not get.
  const hosts = new Set(requests.map(({ hostname }) => hostname));
  hosts.delete("fonts.googleapis.com");
  assert.deepEqual([...hosts], ["127.0.0.1"]);

  const denied = await refused.ended;
  assert.equal(denied.exitCode, 1, denied.stderr);
  assert.match(denied.stderr, /error\[ACCESS_DENIED\][^]*cause: HTTP 400, access_denied/);

  const renewed = await runProgram(home, ["refresh"]);
  assert.equal(renewed.exitCode, 0, renewed.stderr);
  assert.equal(
    JSON.parse((await runProgram(home, ["status", "--json"])).stdout).issuer,
    issuer.url,
  );
});
