import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth4webapi from "oauth4webapi";
import { base64Url, calculateCodeChallenge, generateCodeVerifier } from "../../src/oauth/pkce.ts";
import { generateState } from "../../src/oauth/state.ts";
import vectors from "../vectors/rfc7636_appendix_b.json" with { type: "json" };
import { verifies } from "../testing/verifies.ts";

const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

verifies("S6", "calculateCodeChallenge() gives the RFC 7636 appendix B challenge", async () => {
  assert.equal(base64Url(Uint8Array.from(vectors.octets)), vectors.code_verifier);
  assert.equal(await calculateCodeChallenge(vectors.code_verifier), vectors.code_challenge);
});

test("calculateCodeChallenge() agrees with oauth4webapi", async () => {
  for (let i = 0; i < 50; i++) {
    const verifier = generateCodeVerifier(randomBytes);
    assert.equal(
      await calculateCodeChallenge(verifier),
      await oauth4webapi.calculatePKCECodeChallenge(verifier),
    );
  }
});

verifies(
  ["S1", "S6"],
  "10,000 verifiers and states are distinct, of the right length and alphabet",
  () => {
    const rows = [
      { generate: generateCodeVerifier, length: 86 },
      { generate: generateState, length: 43 },
    ];
    for (const { generate, length } of rows) {
      const seen = new Set<string>();
      for (let i = 0; i < 10_000; i++) {
        const value = generate(randomBytes);
        assert.match(value, /^[A-Za-z0-9_-]+$/);
        assert.equal(value.length, length);
        seen.add(value);
      }
      assert.equal(seen.size, 10_000);
    }
  },
);
