import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { launchChromium, openContext } from "./testing/chromium.ts";
import { obtainCallback } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { attackFromPage, type HostileSite, startHostileSite } from "./testing/hostile_site.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { startLogin, SUBJECT } from "./testing/program.ts";
import { times } from "./testing/thorough.ts";
import { missingChromium } from "./testing/tools.ts";
import { OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000, skip: missingChromium() };

/** What a page may ask us for without knowing a secret. */
const PATHS = [
  "/cancel",
  "/auth/callback?error=access_denied",
  "/success",
  "/auth/callback?code=forged&state=forged",
];

/** As a name of somebody else's that was made to lead to us. */
function rebind(target: string): string {
  return target.replace("127.0.0.1", "rebind.test");
}

/** Every answer of ours that a browser is given, as `GET /success 403`. */
function watchAnswers(context: BrowserContext, target: string): string[] {
  const answers: string[] = [];
  context.on("response", (response) => {
    const url = new URL(response.url());
    // The page of our own that plays the one of the rebound name.
    if (url.port !== new URL(target).port || url.href === `${rebind(target)}/`) return;
    answers.push(`${response.request().method()} ${url.pathname} ${response.status()}`);
  });
  return answers;
}

/** Goes to this address of ours in each way that takes the whole tab with it, or another one. */
async function attackByNavigation(
  page: Page,
  { origin }: HostileSite,
  target: string,
  path: string,
): Promise<void> {
  for (const way of ["/form-get", "/form-post", "/refresh", "/hop", "/hops"]) {
    const arrived = page.waitForResponse((response) =>
      response.url().startsWith(target) && response.request().isNavigationRequest()
    );
    // It may be gone again before it is called loaded.
    await page.goto(`${origin}${way}?to=${encodeURIComponent(target + path)}`).catch(() => {});
    assert.ok((await arrived).status() >= 400, `${way} ${path}`);
    await page.waitForURL(`${target}/**`);
    assert.doesNotMatch(await page.content(), /signed in|Login cancelled/i);
  }
  await page.goto(origin);
  const [popUp] = await Promise.all([
    page.waitForEvent("popup"),
    page.evaluate(`globalThis.other = open(${JSON.stringify(target + path)}), 0`),
  ]);
  await popUp.waitForURL(`${target}/**`);
  // The answer has cut the tie between the two.
  await page.waitForFunction("globalThis.other.closed");
  assert.equal(await popUp.evaluate("opener"), null);
  await popUp.close();
  await page.close();
}

verifies(
  ["S14", "S16", "S17"],
  `${SUBJECT}: a hostile page can neither end, nor fake, nor read a login`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using site = await startHostileSite();
    await using browser = await launchChromium();
    await using program = startLogin(home, issuer);
    const authUrl = await program.authUrl();
    const target = new URL(new URL(authUrl).searchParams.get("redirect_uri") ?? "").origin;
    const { context, page } = await openContext(browser);
    const answers = watchAnswers(context, target);

    // From another site, from another port of loopback, and with no origin at all.
    const neighbour = site.origin.replace("evil.test", "127.0.0.1");
    for (const origin of [site.origin, neighbour]) {
      await page.goto(origin);
      assert.deepEqual(await page.evaluate(attackFromPage(target, PATHS)), []);
    }
    await page.setContent("<iframe sandbox='allow-scripts allow-forms' srcdoc='<body>'></iframe>");
    const sandboxed = await (await page.waitForSelector("iframe")).contentFrame();
    assert.deepEqual(await sandboxed?.evaluate(attackFromPage(target, PATHS)), []);

    // A name that was made to lead to us (DNS rebinding): to the browser we are that page's own server.
    const rebound = rebind(target);
    for (const path of PATHS) assert.equal((await page.goto(rebound + path))?.status(), 421);
    await page.route(
      `${rebound}/`,
      (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><body>" }),
    );
    await page.goto(`${rebound}/`);
    const told = await page.evaluate<string[]>(attackFromPage(rebound, PATHS));
    assert.deepEqual([...new Set(told)], ["Misdirected Request"]);

    await Promise.all(
      PATHS.slice(0, times(2, 4)).map(async (path) =>
        await attackByNavigation(await context.newPage(), site, target, path)
      ),
    );

    assert.ok(answers.length > 100, answers.join("\n"));
    for (const answer of answers) assert.match(answer, / 4\d\d$/);
    assert.deepEqual([...issuer.asked("authorize"), ...issuer.asked("token")], []);
    assert.ok(!(await home.list()).includes("auth.json"));
    assert.doesNotMatch(program.stderr(), /error\[|Signed in/);

    // In the same browser, while that page is open.
    await page.goto(site.origin);
    const honest = await context.newPage();
    await honest.goto(authUrl);
    await honest.getByRole("heading", { name: "You are signed in" }).waitFor();
    assert.equal((await program.ended).exitCode, 0);
    assert.equal(issuer.asked("token").length, 1);
  },
);

verifies(
  ["S16", "S17"],
  `${SUBJECT}: a hostile page sees nothing of a login that is done, and does not take the way on`,
  { ...SLOW, skip: SLOW.skip || (SUBJECT === "bundle" && "the same answers as everywhere") },
  async () => {
    // The set-up of an organization keeps the login there for a while after it is saved.
    await using issuer = await startIssuer({ users: [OLA] });
    await using home = await createHome();
    await using site = await startHostileSite();
    await using browser = await launchChromium();
    const { context, page } = await openContext(browser);
    await page.goto(site.origin);
    await using program = startLogin(home, issuer);
    const callback = await obtainCallback(await program.authUrl());
    const { origin: target } = new URL(callback);
    assert.equal((await get(callback)).status, 303);
    const success = await get(`${target}/success`);
    const [setup = ""] = /\/setup\/[\w-]{22}/.exec(success.body) ?? [];
    assert.notEqual(setup, "");

    // Even if it knew the path.
    assert.deepEqual(await page.evaluate(attackFromPage(target, ["/success", setup])), []);
    const [popUp] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate(`globalThis.other = open("${target}/success"), 0`),
    ]);
    await popUp.getByRole("heading", { name: "You are signed in" }).waitFor();
    const seen = await page.evaluate<string>(`(() => {
      try { return globalThis.other.document.body.innerText; } catch { return ""; }
    })()`);
    assert.equal(seen, "");

    assert.equal((await get(target + setup)).status, 303);
    await context.close();
    assert.equal((await program.ended).exitCode, 0);
    assert.equal(issuer.asked("token").length, 1);
  },
);
