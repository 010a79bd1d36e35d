import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createFetch, TRANSPORT_DEFAULTS } from "../../src/http.ts";

function vector(name: string): string {
  return readFileSync(new URL(`../vectors/tls/${name}`, import.meta.url), "utf8");
}

/** A certificate for localhost and 127.0.0.1, and its key. */
export const TLS = { key: vector("localhost.key"), cert: vector("localhost.pem") };

/** The CA that signed it, which nothing else trusts. */
export const CA_PATH = fileURLToPath(new URL("../vectors/tls/ca.pem", import.meta.url));

/** The transport of somebody who trusts that CA. */
export const trustingFetch = createFetch({ ...TRANSPORT_DEFAULTS, ca: vector("ca.pem") });

/** The redirect back to us that a TLS issuer gives for this address, not yet followed. */
export async function obtainCallbackByTls(authUrl: string): Promise<string> {
  const response = await trustingFetch(authUrl, { method: "GET" });
  return response.headers.get("location") ?? "";
}
