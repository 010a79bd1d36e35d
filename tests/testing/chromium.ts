import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { ROOT } from "./program.ts";
import { CHROMIUM } from "./tools.ts";

export async function launchChromium(): Promise<Browser & AsyncDisposable> {
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Not every browser keeps pages away from loopback by itself.
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
      "--host-resolver-rules=MAP rebind.test 127.0.0.1, MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
}

/** A fresh profile that remembers each request, and lets none leave loopback. */
export async function openContext(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<{ context: BrowserContext; page: Page; requests: URL[]; problems: string[] }> {
  const context = await browser.newContext(options);
  const requests: URL[] = [];
  const problems: string[] = [];
  context.on("request", (request) => requests.push(new URL(request.url())));
  const page = await context.newPage();
  page.on("console", (message) => {
    const isAboutIcon = message.location().url.endsWith("/favicon.ico");
    if (["error", "warning"].includes(message.type()) && !isAboutIcon) {
      problems.push(message.text());
    }
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return { context, page, requests, problems };
}

/** What axe-core finds wrong, one line a rule. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join()}`);
}

/** Every address in the tab's history, redirects' ends only: what a person behind the screen can find. */
export async function historyOf(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  return entries.map(({ url }) => url);
}

/** For a person to look at: `.screenshots/`, not kept by git. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(ROOT, ".screenshots");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
