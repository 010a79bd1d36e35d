import assert from "node:assert/strict";
import fc from "fast-check";
import { describeAccount } from "../../src/account_words.ts";
import { certificateError } from "../../src/certificate_error.ts";
import { errorJson } from "../../src/error_json.ts";
import { LoginError } from "../../src/errors.ts";
import { formatJson } from "../../src/json.ts";
import { formatRecord } from "../../src/log.ts";
import { networkError } from "../../src/network_error.ts";
import { withoutSecrets } from "../../src/redaction.ts";
import { toRpcError } from "../../src/rpc_error.ts";
import { formatError, wrapWords } from "../../src/terminal.ts";
import { type FuzzProperty, fuzzProperty, MARK } from "./fuzz_property.ts";
import { hostileJson, hostileText, nasty } from "./hostile.ts";

const UNCLEAN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const URL_OF_ISSUER = new URL("https://issuer.test");
const NOW = Date.UTC(2026, 10, 27);
const words = hostileText("it was refused", MARK);
const aTime = fc.option(fc.integer({ min: -8.64e15, max: 8.64e15 }), { nil: undefined });

export const WORDS: readonly FuzzProperty[] = [
  fuzzProperty(
    "an error with foreign words",
    ["S64", "S65"],
    fc.record({ message: words, reason: words, note: words }),
    ({ message, reason, note }) => {
      const error = new LoginError("AUTHORIZATION_FAILED", message, { reason });
      error.note = note;
      const lines = formatError(error, { color: false, links: false }).split("\n");
      assert.ok(lines.length <= 4, "a line more than there are parts");
      const { message: told, data } = toRpcError(error);
      const shown = [...lines, formatJson(errorJson(error)), told, formatJson(data)];
      for (const text of shown) {
        assert.doesNotMatch(text, UNCLEAN);
        assert.ok(text.length < 3_000);
      }
      const { message: first, cause } = errorJson(error);
      for (const text of [first ?? "", cause ?? ""]) assert.doesNotMatch(text, UNCLEAN);
    },
  ),
  fuzzProperty(
    "a line of the log",
    ["S63", "S64", "S65"],
    fc.record({ path: words, error_code: words, issuer: words, cause: words, __proto__: words }),
    (properties) => {
      const record = {
        ...{ category: ["codex_login", "server"], level: "info", timestamp: NOW },
        ...{ message: ["m"], rawMessage: "received callback", properties },
      } as unknown as Parameters<typeof formatRecord>[0];
      const line = formatRecord(record, new Set([MARK]));
      assert.doesNotMatch(line, UNCLEAN);
      assert.ok(!line.includes(MARK) && line.length < 4_000);
    },
  ),
  fuzzProperty("JSON for programs", ["S65"], hostileJson({ email: MARK, plan: "x" }), (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const line = formatJson(value);
    assert.doesNotMatch(line, UNCLEAN);
    assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(value)));
  }),
  fuzzProperty(
    "a certificate's words",
    ["S65"],
    fc.record({ subject: words, issuer: words, validFrom: aTime, validUntil: aTime, date: aTime }),
    (seen) => {
      const report = { refusal: "CERT_HAS_EXPIRED", protocol: "TLSv1.3", ...seen };
      for (const code of ["CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "OTHER"]) {
        const { reason = "" } = certificateError(code, URL_OF_ISSUER, report, NOW);
        assert.doesNotMatch(reason, UNCLEAN);
        assert.ok([...reason].length <= 300);
      }
    },
  ),
  fuzzProperty(
    "a failure of the system",
    ["S65", "S69"],
    fc.record({
      code: fc.oneof(words, fc.constantFrom("ENOTFOUND", "constructor")),
      message: words,
    }),
    (thrown) => {
      for (const stage of ["dns", "tcp", "proxy", "tls", "sent"] as const) {
        const error = networkError(thrown, URL_OF_ISSUER, stage);
        assert.ok(typeof error.exitCode === "number" && error.hint !== undefined);
        assert.doesNotMatch(`${error.message} ${error.reason}`, UNCLEAN);
        assert.ok(!`${error.message} ${error.reason}`.includes(MARK));
      }
    },
  ),
  fuzzProperty(
    "who is signed in, in words",
    ["S65"],
    fc.record({ email: words, plan: words, accountId: words, userId: words, workspaceName: words }),
    (account) => {
      assert.doesNotMatch(describeAccount(account), UNCLEAN);
    },
  ),
  fuzzProperty(
    "several secrets in one text",
    ["S36", "S64"],
    fc.record({
      secrets: fc.array(fc.stringMatching(/^[\x21-\x24\x26-\x5b\x5d-\x7e]{8,60}$/), {
        minLength: 1,
        maxLength: 4,
      }),
      around: fc.array(nasty, { minLength: 2, maxLength: 5 }),
      order: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }),
    }),
    ({ secrets, around, order }) => {
      const own = secrets.filter((one) => !/redacted/i.test(one) && !/^[\][ed]+$/.test(one));
      const parts = order.map((at, i) => (own[at % own.length] ?? "") + (around[i] ?? " "));
      const clean = withoutSecrets(parts.join(""), own);
      for (const secret of own) assert.ok(!clean.includes(secret), secret);
    },
  ),
  fuzzProperty(
    "secrets that begin alike",
    ["S36", "S64"],
    fc.record({
      first: fc.stringMatching(/^[\w.~-]{8,40}$/),
      rest: fc.stringMatching(/^[\w.~-]{8,40}$/),
      isLongerFirst: fc.boolean(),
      around: nasty,
    }),
    ({ first, rest, isLongerFirst, around }) => {
      const both = [first, first + rest];
      const text = `${around} ${first}${rest} ${around}`;
      fc.pre(!around.includes(rest));
      const clean = withoutSecrets(text, isLongerFirst ? both.reverse() : both);
      assert.ok(!clean.includes(rest), clean.slice(0, 300));
    },
  ),
  fuzzProperty(
    "sentences on a narrow terminal",
    ["S65"],
    fc.tuple(words, fc.integer({ min: 1, max: 200 })),
    ([text, columns]) => {
      const wrapped = wrapWords(text, columns);
      // Words are neither lost nor changed.
      assert.equal(wrapped.replaceAll("\n", " "), text.replaceAll("\n", " "));
    },
  ),
];
