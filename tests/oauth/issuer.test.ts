import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isDefaultIssuer,
  isSameIssuer,
  parseIssuer,
  parseSecureUrl,
} from "../../src/oauth/issuer.ts";
import { verifies } from "../testing/verifies.ts";

const GOOD: [given: string, base: string, isLoopbackHttp: boolean][] = [
  ["https://auth.openai.com", "https://auth.openai.com", false],
  ["https://auth.openai.com/", "https://auth.openai.com", false],
  ["https://issuer.test:8443", "https://issuer.test:8443", false],
  ["https://issuer.test/tenant/a/", "https://issuer.test/tenant/a", false],
  ["HTTPS://ISSUER.TEST", "https://issuer.test", false],
  ["https://127.0.0.1:9", "https://127.0.0.1:9", false],
  ["http://127.0.0.1:4000", "http://127.0.0.1:4000", true],
  ["http://127.0.0.1:4000/x", "http://127.0.0.1:4000/x", true],
  ["http://[::1]:4000", "http://[::1]:4000", true],
  ["http://localhost", "http://localhost", true],
  ["http://LOCALHOST:1", "http://localhost:1", true],
];

const BAD = [
  "",
  "auth.openai.com",
  "//auth.openai.com",
  "/oauth",
  "http://auth.openai.com",
  "http://issuer.test",
  "http://localhost.evil.test",
  "http://127.0.0.1.evil.test",
  "http://127.0.0.1@evil.test",
  "http://localhost@evil.test",
  "https://localhost@evil.test",
  "https://user:pw@issuer.test",
  "https://@issuer.test",
  "https://issuer.test?x=1",
  "https://issuer.test/?",
  "https://issuer.test#x",
  "https://issuer.test/#",
  "https:issuer.test",
  "https:/issuer.test",
  "https:\\\\issuer.test",
  "https://\\issuer.test",
  "http://0.0.0.0:1",
  "http://127.0.0.2:1",
  "http://[::2]",
  "http://192.168.0.1",
  "ftp://issuer.test",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "data:text/html,x",
  " https://issuer.test",
  "https://issuer.test ",
  "https://issuer.test\n",
  "https://issuer\t.test",
  "https://issuer.test/\u0000",
  "https://issuer.test/\u202e",
  "https://",
  "https://:443",
  "https://issuer.test:99999",
  "https://[::1",
  "https://exa mple.test",
];

verifies("S10", "parseIssuer() accepts https, and http on a loopback name", () => {
  for (const [given, base, isLoopbackHttp] of GOOD) {
    assert.deepEqual(parseIssuer(given), { given, base, isLoopbackHttp });
  }
});

verifies("S10", "parseIssuer() refuses everything else", () => {
  for (const given of BAD) {
    assert.throws(() => parseIssuer(given), { code: "ISSUER_INVALID" }, JSON.stringify(given));
  }
});

test("parseIssuer() repeats no user name, password or query", () => {
  for (
    const given of [
      "http://me:hunter2@issuer.test",
      "ftp://me:hunter2@x/?k=hunter2",
      "https://x.test?hunter2",
      // A password in which an address has a meaning, so that no parser sees it as one.
      "http://me:hun/hunter2@x.test",
      "https://me:hunter2?x@x.test",
      "http:\\\\me:hunter2@x.test",
      "me:hunter2@x.test",
    ]
  ) {
    assert.throws(() => parseIssuer(given), (error: Error) => !error.message.includes("hunter2"));
  }
});

test("parseSecureUrl() keeps path and query, which an override may have", () => {
  assert.equal(parseSecureUrl("https://x.test/a?b=c", "address").href, "https://x.test/a?b=c");
});

test("isSameIssuer() forgives one trailing slash on either side and nothing more", () => {
  assert.ok(isSameIssuer("https://a.test", "https://a.test/"));
  assert.ok(isSameIssuer("https://a.test/", "https://a.test"));
  assert.ok(!isSameIssuer("https://a.test", "https://a.test//"));
  assert.ok(!isSameIssuer("https://a.test", "https://A.test"));
  assert.ok(isDefaultIssuer(parseIssuer("https://auth.openai.com/")));
  assert.ok(!isDefaultIssuer(parseIssuer("https://auth.openai.com.evil.test")));
});
