import assert from "node:assert/strict";
import fc from "fast-check";
import { withoutSecrets } from "../src/redaction.ts";
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
  },
);

verifies("S64", "withoutSecrets() leaves no secret in any text", () => {
  const secret = fc.string({ minLength: 8, maxLength: 40, unit: "binary" });
  fc.assert(fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
    fc.pre(!"[redacted]".includes(value));
    assert.ok(!withoutSecrets(`${before}${value}${after}`, [value]).includes(value));
  }));
});
