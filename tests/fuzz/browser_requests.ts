import assert from "node:assert/strict";
import fc from "fast-check";
import { readPastedResponse } from "../../src/oauth/pasted_response.ts";
import { validateAuthorizationResponse } from "../../src/oauth/authorization.ts";
import { createKeyDecoder } from "../../src/key_decoder.ts";
import { refuseRequest } from "../../src/request_guard.ts";
import { createAttempt } from "../testing/attempt.ts";
import { type FuzzProperty, fuzzProperty, MARK } from "./fuzz_property.ts";
import { hostileText, nasty } from "./hostile.ts";

const PORT = 1455;
const attempt = await createAttempt("https://issuer.test");
const RIGHT = `state=${attempt.state}&code=${MARK}&iss=https%3A%2F%2Fissuer.test`;
const DENIED = `state=${attempt.state}&error=access_denied&error_description=no+${MARK}`;

const aQuery = hostileText(RIGHT, DENIED, RIGHT.replace(attempt.state, "wrong"));

export const BROWSER_REQUESTS: readonly FuzzProperty[] = [
  fuzzProperty("a callback's query", ["S2", "S4", "S5"], aQuery, async (query) => {
    const parameters = new URLSearchParams(query);
    const response = await validateAuthorizationResponse(parameters, attempt);
    if (response.kind === "foreign") return;
    // Only who knows the state decides anything, and says each thing once.
    assert.ok(parameters.get("state")?.startsWith(attempt.state));
    for (const name of ["state", "code", "error", "iss"]) {
      assert.ok(parameters.getAll(name).length <= 1, name);
    }
    if (response.kind === "code") assert.equal(response.code, parameters.get("code"));
    else {
      const words = `${response.error.message} ${response.error.reason}`;
      assert.doesNotMatch(words, /[\p{Cc}\p{Cf}]/u);
      assert.ok(!words.includes(attempt.state) && words.length < 800);
    }
  }),
  fuzzProperty(
    "a request to the listener",
    ["S14", "S15", "S16", "S22"],
    fc.record({
      target: hostileText("/auth/callback?code=c&state=s", "/success", "/auth/callback/../x"),
      host: hostileText(`127.0.0.1:${PORT}`, `localhost:${PORT}`, `[::1]:${PORT}`, "evil.test"),
      method: fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "get"),
      headers: fc.dictionary(
        fc.constantFrom(
          "origin",
          "sec-fetch-mode",
          "sec-fetch-dest",
          "sec-purpose",
          "content-length",
        ),
        nasty.map((value) => value.replace(/[^\x20-\x7e]/g, "").trim()),
        { maxKeys: 2 },
      ),
    }),
    ({ target, host, method, headers }) => {
      const clean = host.replace(/[^\x20-\x7e]/g, "").trim();
      const request = {
        method,
        url: `http://${clean}${target}`,
        headers: new Headers({ ...headers, host: clean }),
      } as Request;
      const refusal = refuseRequest(request, PORT, (path) => path === "/auth/callback");
      if (refusal) return;
      assert.equal(method, "GET");
      assert.match(clean.toLowerCase(), /^(127\.0\.0\.1|localhost|\[::1\]):1455$/);
      assert.equal(new URL(request.url).pathname, "/auth/callback");
      assert.ok(!request.headers.has("origin"));
    },
  ),
  fuzzProperty(
    "a pasted address",
    ["S2"],
    hostileText(
      `http://localhost:${PORT}/auth/callback?${RIGHT}`,
      `"http://127.0.0.1:${PORT}/auth/callback?${DENIED}"`,
      "a-bare-code-0123456789",
    ),
    (text) => {
      const pasted = readPastedResponse(text);
      if (pasted.kind !== "unusable") return;
      assert.doesNotMatch(pasted.reason, /[\p{Cc}\p{Cf}]/u);
      assert.ok(!pasted.reason.includes(MARK));
    },
  ),
  fuzzProperty(
    "what is typed",
    ["S65"],
    fc.array(fc.oneof(nasty, fc.constantFrom("\x1b[200~", "\x1b[201~", "\x1b", "\x03", "c", "\r"))),
    (parts) => {
      const decoder = createKeyDecoder(new Set(["c", "q", "d"]));
      const events = parts.flatMap((part) => decoder.feed(Buffer.from(part)));
      for (const event of [...events, ...decoder.settle()]) {
        if (event.type === "text") assert.ok(event.text.length <= 65_536);
      }
    },
  ),
];
