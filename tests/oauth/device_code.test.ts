import assert from "node:assert/strict";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import {
  LIFETIME_MS,
  readInterval,
  readLifetime,
  readUserCode,
} from "../../src/oauth/device_code.ts";
import { verifies } from "../testing/verifies.ts";

const NOW = Date.UTC(2026, 10, 21);

verifies("S40", "readUserCode() gives a code that can be typed, or refuses", () => {
  for (const code of ["ABCD", "ABCD-EFGH", "abcd-1234", "0123456789ABCDEF"]) {
    assert.equal(readUserCode(code), code);
  }
  assert.equal(readUserCode(" AB\u200bCD-12\u202e34\n"), "ABCD-1234");
  for (
    const code of ["", "ABC", "A".repeat(17), "AB CD", "ABCD!", "ÀBCD", "AB\x1b[31mCD", "ＡＢＣＤ"]
  ) {
    assert.throws(() => readUserCode(code), { code: "TOKEN_RESPONSE_INVALID" });
  }
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (given) => {
    try {
      assert.match(readUserCode(given), /^[A-Za-z0-9-]{4,16}$/);
    } catch (thrown) {
      assert.ok(thrown instanceof LoginError);
    }
  }));
});

verifies("S41", "readInterval() is between one second and sixty, whatever it is given", () => {
  assert.equal(readInterval("Infinity"), 5_000);
  assert.equal(readInterval(JSON.parse("1e999")), 60_000);
  assert.equal(readInterval(" 8 "), 8_000);
  fc.assert(fc.property(fc.anything(), (given) => {
    const ms = readInterval(given);
    assert.ok(ms >= 1_000 && ms <= 60_000);
  }));
});

verifies(
  "S41",
  "readLifetime() takes the sooner of both times, by the issuer's clock, and never more than 15 minutes",
  () => {
    const at = (ms: number): string => new Date(NOW + ms).toISOString();
    const rows: [answer: Record<string, unknown>, ms: number][] = [
      [{}, LIFETIME_MS],
      [{ expires_in: 300 }, 300_000],
      [{ expires_in: "300" }, 300_000],
      [{ expires_in: 300, expires_at: at(200_000) }, 200_000],
      [{ expires_in: 300, expires_at: at(400_000) }, 300_000],
      [{ expires_at: (NOW + 60_000) / 1_000 }, 60_000],
      [{ expires_at: at(60_000).replace("Z", "+00:00") }, 60_000],
      [{ expires_at: at(-1) }, LIFETIME_MS],
      [{ expires_in: 1e9 }, LIFETIME_MS],
      [{ expires_in: 0 }, LIFETIME_MS],
      [{ expires_in: true, expires_at: {} }, LIFETIME_MS],
    ];
    for (const [answer, ms] of rows) {
      assert.equal(readLifetime(answer, NOW), ms, JSON.stringify(answer));
    }
    const members = fc.record({ expires_in: fc.anything(), expires_at: fc.anything() });
    fc.assert(fc.property(members, (answer) => {
      const ms = readLifetime(answer, NOW);
      assert.ok(ms > 0 && ms <= LIFETIME_MS);
    }));
  },
);
