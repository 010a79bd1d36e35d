import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import { parseSecret, type StdinSecret } from "../src/stdin_secret.ts";
import { verifies } from "./testing/verifies.ts";

const API_KEY: StdinSecret = {
  name: "API key",
  flag: "--with-api-key",
  variable: "OPENAI_API_KEY",
  code: "API_KEY_INVALID",
};

test("parseSecret() cuts white space around the secret, and a byte order mark", () => {
  const key = "sk-proj-0123456789abcdefghijklmnop";
  for (const text of [key, `${key}\n`, `${key}\r\n`, `  ${key}\t\n`, `\ufeff${key}\r\n`]) {
    assert.equal(parseSecret(Buffer.from(text), API_KEY), key);
  }
  assert.equal(parseSecret(Buffer.from("clé-à-part"), API_KEY), "clé-à-part");
});

verifies(
  "S62",
  "parseSecret() gives one printable line or a LoginError, whatever the bytes are",
  () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      try {
        assert.match(parseSecret(bytes, API_KEY), /^[^\s\p{C}]+$/u);
      } catch (thrown) {
        assert.ok(thrown instanceof LoginError && thrown.code === "API_KEY_INVALID");
      }
    }));
  },
);
