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

/** Follows an address and its redirects as a browser does, and remembers every step. */
export async function visit(url: string): Promise<Step[]> {
  const steps: Step[] = [];
  for (let next = url; next !== "" && steps.length < 10;) {
    const reply = await get(next, { headers: NAVIGATION });
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
