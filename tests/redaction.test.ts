import assert from "node:assert/strict";
import fc from "fast-check";
import { querySecrets, withoutSecrets } from "../src/redaction.ts";
import { verifies } from "./testing/verifies.ts";

verifies(
  "S36",
  "withoutSecrets() cuts a secret out as it is, as an address, a form and JSON have it",
  () => {
    const secret = 's3cret/ "value"+é';
    const forms = [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ a: secret }).toString().slice(2),
      JSON.stringify(secret),
    ];
    for (const form of forms) {
      assert.ok(!withoutSecrets(`before ${form} after`, [secret]).includes("s3cret"), form);
    }
    assert.equal(withoutSecrets("short: abc", ["abc"]), "short: abc");
    // One that begins another must not leave the rest of it.
    for (const secrets of [["abcdefgh", "abcdefgh-rest"], ["abcdefgh-rest", "abcdefgh"]]) {
      assert.equal(withoutSecrets("say abcdefgh-rest", secrets), "say [redacted]");
    }
  },
);

verifies(
  "S36",
  "withoutSecrets() finds a secret in capitals, in base64 and hex, and under escapes of any kind",
  () => {
    const secret = 'ac_S3cret-0123/456+"789';
    const bytes = [...Buffer.from(secret)];
    const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
    const writings = [
      secret.toUpperCase(),
      secret.toLowerCase(),
      encodeURIComponent(encodeURIComponent(secret)),
      bytes.map((byte) => `%${hex(byte)}`).join(""),
      bytes.map((byte) => `\\u00${hex(byte)}`).join(""),
      bytes.map((byte) => `\\x${hex(byte)}`).join(""),
      bytes.map((byte) => `&#${byte};`).join(""),
      bytes.map((byte) => `&#x${hex(byte)};`).join(""),
      JSON.stringify(JSON.stringify(secret)),
      Buffer.from(secret).toString("hex").toUpperCase(),
      ...["", "x", "xy"].flatMap((before) =>
        (["base64", "base64url"] as const).map((form) =>
          Buffer.from(`${before}${secret}!`).toString(form)
        )
      ),
    ];
    for (const writing of writings) {
      const clean = withoutSecrets(`before ${writing} after`, [secret]);
      assert.ok(clean.includes("[redacted]"), writing);
      assert.ok(!clean.includes(writing) && !clean.includes(writing.slice(4, -4)), clean);
    }
    const long = `rt_${"0123456789abcdefghij".repeat(3)}`;
    for (const part of [long.slice(0, 20), long.slice(-17), `x${long.slice(9, 40)}y`]) {
      for (const writing of [part, encodeURIComponent(`${part}/`).replaceAll("a", "%61")]) {
        const clean = withoutSecrets(`token ${writing}… is bad`, [long]);
        assert.ok(clean.includes("[redacted]") && !clean.includes(part.slice(2, 18)), clean);
      }
    }
    const alike = ["first", "second"].map((name) => `${name}-0123456789abcdefghijklmnopqrst`);
    assert.equal(withoutSecrets(alike.join(" "), alike), "[redacted] [redacted]");
    assert.equal(withoutSecrets("only 0123456789abcde", [long]), "only 0123456789abcde");
    const words = "100% of A&amp;B \\u0041 %zz %ff &#x110000; stays";
    assert.equal(withoutSecrets(words, [secret]), words);
  },
);

verifies(
  "S36",
  "querySecrets() gives what is in the query of an address, as written and as meant",
  () => {
    assert.deepEqual(querySecrets("https://issuer.test/token"), []);
    const found = querySecrets("https://issuer.test/token?tenant=7&key=a%2Fb+c");
    for (const part of ["tenant=7&key=a%2Fb+c", "7", "a%2Fb+c", "a/b c"]) {
      assert.ok(found.includes(part), part);
    }
  },
);

verifies("S64", "withoutSecrets() leaves no secret in any text", () => {
  const secret = fc.string({ minLength: 8, maxLength: 40, unit: "binary" });
  fc.assert(fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
    fc.pre(!"[redacted]".includes(value));
    assert.ok(!withoutSecrets(`${before}${value}${after}`, [value]).includes(value));
  }));
});
