import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { LoginError } from "../src/errors.ts";
import {
  type Page as RenderedPage,
  renderErrorPage,
  renderSuccessPage,
  TERMINAL,
} from "../src/pages.ts";
import {
  accessibilityViolations,
  historyOf,
  launchChromium,
  openContext,
  screenshot,
} from "./testing/chromium.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startLogin, SUBJECT } from "./testing/program.ts";
import { missingChromium } from "./testing/tools.ts";
import { ADA, BOB, OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const OPTIONS = { skip: missingChromium(), timeout: 90_000 };

function assertLoopbackOnly(requests: readonly URL[]): void {
  assert.deepEqual(
    requests.map(({ hostname }) => hostname).filter((name) => name !== "127.0.0.1"),
    [],
  );
}

verifies(
  ["S9", "S18"],
  `${SUBJECT}: the whole sign-in, by clicking through the issuer's pages`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer({ users: [ADA, BOB], hasPages: true });
    await using home = await createHome();
    await using browser = await launchChromium();
    await using program = startLogin(home, issuer);
    const { page, requests, problems } = await openContext(browser);
    const authUrl = await program.authUrl();
    await page.goto(authUrl);
    await page.getByRole("button", { name: "Continue as bob@example.com" }).click();
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    assert.match(await page.locator("main").innerText(), /bob@example\.com[^]*team[^]*acct-2222/);
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, "/success");
    assert.equal((await program.ended).exitCode, 0);

    const history = await historyOf(page);
    assert.deepEqual(history.map((url) => new URL(url, "http://x").pathname).slice(-2), [
      "/oauth/authorize",
      "/success",
    ]);
    assertNoSecrets(
      history.filter((url) => !url.startsWith(issuer.url)).join() + await page.content(),
      issuer,
      authUrl,
    );
    assertLoopbackOnly(requests);
    // Of all requests to us one carries a code and a state: the callback itself.
    const own = requests.filter(({ port }) => port === new URL(page.url()).port);
    const withQuery = own.filter(({ search }) => search !== "");
    assert.deepEqual(withQuery.map(({ pathname }) => pathname), ["/auth/callback"]);
    assert.equal(await page.evaluate("document.referrer"), "");
    assert.deepEqual(problems, []);
  },
);

test(
  `${SUBJECT}: a sign-in that is denied ends on a page that says what to do`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer({ users: [ADA], hasPages: true });
    await using home = await createHome();
    await using browser = await launchChromium();
    await using program = startLogin(home, issuer);
    const { page, requests } = await openContext(browser);
    await page.goto(await program.authUrl());
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "Access was denied" }).waitFor();
    assert.match(await page.locator("main").innerText(), /The person said no[^]*ACCESS_DENIED/);
    assert.equal((await program.ended).exitCode, 1);
    assertLoopbackOnly(requests);
  },
);

verifies(
  "S21",
  `${SUBJECT}: the set-up of an organization counts down, can be stopped, and goes to the issuer's platform`,
  { ...OPTIONS, skip: OPTIONS.skip || (SUBJECT === "bundle" && "the same page as everywhere") },
  async () => {
    await using issuer = await startIssuer({ users: [OLA] });
    await using home = await createHome();
    await using browser = await launchChromium();
    let stopped = "";
    for (const isStopped of [false, true]) {
      await using program = startLogin(home, issuer);
      const { page, requests, problems } = await openContext(browser);
      await page.goto(await program.authUrl());
      const arrived = page.waitForRequest(/^https:/);
      await page.getByText(/opens in \d seconds?/).waitFor();
      if (isStopped) {
        await page.getByRole("button", { name: "Stay here" }).click();
        await page.getByText("opens when you continue").waitFor();
        assert.equal(await page.getByRole("button", { name: "Stay here" }).isVisible(), false);
        stopped = await page.content();
        await page.getByRole("link", { name: "Continue" }).click();
      }
      assert.equal((await program.ended).exitCode, 0);
      const { origin, pathname, searchParams } = new URL((await arrived).url());
      assert.equal(`${origin}${pathname}`, "https://platform.api.openai.org/org-setup");
      assert.equal(searchParams.get("with_org"), "org-acct-3333");
      assertLoopbackOnly(requests.slice(0, -1));
      assert.deepEqual(problems.filter((text) => /Content Security/.test(text)), []);
    }
    // The login waits for a few seconds only; looking takes its time.
    const { page } = await openContext(browser);
    await page.setContent(stopped.replace(/<script[^]*?<\/script>/g, ""));
    await page.getByText("opens when you continue").waitFor();
    assert.deepEqual(await accessibilityViolations(page), []);
    await screenshot(page, "success-setup");
  },
);

const ACCOUNT = {
  email: "a.very.long.address.that.has.to.wrap.somewhere@department.university.example.com",
  plan: "plus",
  accountId: "acct-1111",
  userId: "user-ada",
  workspaceName: "The Analytical Engine Company of London and Turin",
};
const FAILURE = new LoginError("TLS", "The issuer at auth.openai.com could not be asked", {
  reason: "the certificate was not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
});

const LOOKS = [
  { name: "light", options: { colorScheme: "light", viewport: { width: 900, height: 700 } } },
  { name: "dark", options: { colorScheme: "dark", viewport: { width: 900, height: 700 } } },
  { name: "narrow", options: { colorScheme: "light", viewport: { width: 320, height: 640 } } },
  // A browser at 200 % has half of the pixels for the same page.
  {
    name: "zoomed",
    options: { colorScheme: "dark", viewport: { width: 450, height: 350 }, deviceScaleFactor: 2 },
  },
] as const;

async function show(page: Page, rendered: RenderedPage): Promise<void> {
  await page.route("http://127.0.0.1:9/page", (route) =>
    route.fulfill({
      status: rendered.status,
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": rendered.contentSecurityPolicy },
      body: rendered.html,
    }));
  await page.goto("http://127.0.0.1:9/page");
}

verifies("S21", "pages are readable and accessible: light, dark, 320 px wide, at 200 %", {
  ...OPTIONS,
  skip: OPTIONS.skip ||
    ((SUBJECT !== "source" || "Deno" in globalThis) && "the same pages for every subject"),
}, async () => {
  await using browser = await launchChromium();
  const pages = {
    success: await renderSuccessPage(ACCOUNT),
    setup: await renderSuccessPage(ACCOUNT, TERMINAL, "/setup/x"),
    app: await renderSuccessPage(ACCOUNT, { place: "program", opensApp: true }),
    unknown: await renderSuccessPage(undefined, { place: "program" }),
    error: await renderErrorPage(FAILURE),
  };
  for (const [kind, rendered] of Object.entries(pages)) {
    // What these add to the others is a button, or leaves something out.
    const looks = ["app", "unknown"].includes(kind) ? LOOKS.slice(2, 3) : LOOKS;
    for (const { name, options } of looks) {
      const { page, problems, context } = await openContext(browser, options);
      await show(page, rendered);
      assert.deepEqual(await accessibilityViolations(page), [], `${kind} ${name}`);
      const overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      assert.equal(overflow, 0, `${kind} ${name} scrolls sideways`);
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
      assert.equal(await page.getByRole("main").count(), 1);
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
      assert.match(await page.title(), / – codex-login$/);
      assert.deepEqual(problems.filter((text) => /Content Security/.test(text)), []);
      await screenshot(page, `${kind}-${name}`);
      await context.close();
    }
  }
});
