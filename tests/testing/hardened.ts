import assert from "node:assert/strict";
import type { Reply } from "./http_client.ts";

/** What each answer of ours says, whatever else it says. */
const HARDENED: Readonly<Record<string, RegExp>> = {
  "cache-control": /^no-store$/,
  // Deno says it once more when it stops.
  "connection": /^close(, close)?$/,
  "content-security-policy":
    /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'(; style-src 'sha256-[\w+/=]{44}')?(; script-src 'sha256-[\w+/=]{44}')?$/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "referrer-policy": /^no-referrer$/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
};

/** All that may be there beside it. */
const OTHERS = /^(content-type|content-length|date|location|allow|transfer-encoding|vary)$/;

export function assertHardened({ status, headers }: Pick<Reply, "status" | "headers">): void {
  for (const [name, value] of Object.entries(HARDENED)) {
    assert.match(String(headers[name]), value, `${status}: ${name}`);
  }
  for (const name of Object.keys(headers)) {
    assert.ok(Object.hasOwn(HARDENED, name) || OTHERS.test(name), `${status}: ${name}`);
  }
}
