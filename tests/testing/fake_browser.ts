import { systemCode } from "../../src/errors.ts";
import { get, location, type Reply } from "./http_client.ts";

/** What Chromium sends with the navigation that a redirect from another site makes. */
export const NAVIGATION = {
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
} as const;

export interface Step {
  readonly url: string;
  readonly reply: Reply;
}

/** The second for which a program waits to be asked for its page, and what a clock may be off. */
const PAGE_IS_THERE_MS = 900;

/**
 * Follows an address and its redirects as a browser does, and remembers every step. Who is held up for so long that the
 * program may have gone finds nobody at the last one, which is no fault of the program.
 */
export async function visit(url: string): Promise<Step[]> {
  const steps: Step[] = [];
  let asked = performance.now();
  for (let next = url; next !== "" && steps.length < 10;) {
    const askedBefore = asked;
    asked = performance.now();
    const reply = await get(next, { headers: NAVIGATION }).catch((thrown) => {
      const isLate = next.endsWith("/success") &&
        performance.now() - askedBefore > PAGE_IS_THERE_MS;
      if (isLate && /^ECONN(REFUSED|RESET)$/.test(systemCode(thrown) ?? "")) return undefined;
      throw thrown;
    });
    if (reply === undefined) break;
    steps.push({ url: next, reply });
    const target = location(reply);
    next = target === "" ? "" : new URL(target, next).href;
  }
  return steps;
}

/** The redirect back to us that the issuer gives for this address, not yet followed. */
export async function obtainCallback(authUrl: string): Promise<string> {
  const target = location(await get(authUrl, { headers: NAVIGATION }));
  if (!target.includes("/auth/callback")) {
    throw new Error(`The issuer gave no callback for ${authUrl}`);
  }
  return target;
}
