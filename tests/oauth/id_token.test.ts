import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import {
  decodeClaims,
  type IdTokenExpectations,
  validateIdToken,
} from "../../src/oauth/id_token.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";
import { encode, signJwt } from "../testing/jwt.ts";
import { verifies } from "../testing/verifies.ts";

const NOW_S = 1_800_000_000;
const CLIENT = "app_test";
const HTTPS: IdTokenExpectations = {
  issuer: parseIssuer("https://issuer.test"),
  clientId: CLIENT,
  now: NOW_S * 1000,
  answeredAt: undefined,
};
const LOOPBACK = { ...HTTPS, issuer: parseIssuer("http://127.0.0.1:4000") };
const GOOD = { iss: "https://issuer.test", aud: CLIENT, exp: NOW_S + 3600, iat: NOW_S, sub: "u" };

function isRefused(claims: unknown, expected = HTTPS, header?: Record<string, unknown>): boolean {
  try {
    validateIdToken(signJwt(claims as Record<string, unknown>, header), expected);
    return false;
  } catch (thrown) {
    assert.ok(thrown instanceof LoginError && thrown.code === "ID_TOKEN_INVALID");
    return true;
  }
}

test("validateIdToken() accepts what OIDC Core 3.1.3.7 accepts", () => {
  const rows: Record<string, unknown>[] = [
    GOOD,
    { ...GOOD, iss: "https://issuer.test/" },
    { ...GOOD, aud: [CLIENT] },
    { ...GOOD, aud: [CLIENT, "other"], azp: CLIENT },
    { ...GOOD, azp: CLIENT },
    { ...GOOD, iat: undefined },
    { ...GOOD, exp: NOW_S - 299 },
    { ...GOOD, iat: NOW_S + 299 },
  ];
  for (const claims of rows) assert.ok(!isRefused(claims), JSON.stringify(claims));
});

verifies(
  "S37",
  "validateIdToken() refuses another issuer, audience or party, and times that do not fit",
  () => {
    const rows: Record<string, unknown>[] = [
      { ...GOOD, iss: undefined },
      { ...GOOD, iss: "https://evil.test" },
      { ...GOOD, iss: "https://issuer.test//" },
      { ...GOOD, iss: ["https://issuer.test"] },
      { ...GOOD, aud: undefined },
      { ...GOOD, aud: "other" },
      { ...GOOD, aud: ["other"] },
      { ...GOOD, aud: [] },
      { ...GOOD, aud: [CLIENT, "other"] },
      { ...GOOD, aud: [CLIENT, "other"], azp: "other" },
      { ...GOOD, azp: "other" },
      { ...GOOD, exp: undefined },
      { ...GOOD, exp: String(NOW_S + 3600) },
      { ...GOOD, exp: NOW_S - 300 },
      { ...GOOD, iat: NOW_S + 301 },
      { ...GOOD, iat: "now" },
      { ...GOOD, nbf: NOW_S + 301 },
    ];
    for (const claims of rows) assert.ok(isRefused(claims), JSON.stringify(claims));
  },
);

verifies("S37", "validateIdToken() refuses an alg that does not sign", () => {
  for (const alg of ["none", "None", "HS256", "HS512", "hs384", "", " ", "none ", undefined, 5]) {
    assert.ok(isRefused(GOOD, HTTPS, { alg }), String(alg));
  }
  for (const alg of ["RS256", "ES256", "PS512", "EdDSA"]) {
    assert.ok(!isRefused(GOOD, HTTPS, { alg }), alg);
  }
});

verifies("S37", "validateIdToken() refuses extensions that have to be understood", () => {
  for (const crit of [["exp"], [], "b64", null]) {
    assert.ok(isRefused(GOOD, HTTPS, { alg: "ES256", crit }), JSON.stringify(crit));
  }
});

test("validateIdToken() asks less of a loopback issuer, but believes nothing that is wrong", () => {
  assert.ok(!isRefused({ sub: "u" }, LOOPBACK, {}));
  assert.ok(isRefused({ iss: "https://evil.test" }, LOOPBACK));
  assert.ok(isRefused({ aud: "other" }, LOOPBACK));
  assert.ok(isRefused({ exp: 1 }, LOOPBACK));
  assert.ok(isRefused({}, LOOPBACK, { alg: "none" }));
});

verifies(
  "S39",
  "validateIdToken() judges by the issuer's clock when the local one is wrong",
  () => {
    for (const years of [-3, 3]) {
      const offset = years * 365 * 86_400;
      const expected = { ...HTTPS, now: (NOW_S + offset) * 1000, answeredAt: NOW_S * 1000 };
      const { clockOffset } = validateIdToken(signJwt(GOOD), expected);
      assert.equal(clockOffset, offset);
      assert.ok(isRefused({ ...GOOD, exp: NOW_S - 400 }, expected));
    }
    const near = { ...HTTPS, answeredAt: (NOW_S - 200) * 1000 };
    assert.equal(validateIdToken(signJwt(GOOD), near).clockOffset, undefined);
  },
);

verifies(
  ["S37", "S38"],
  "validateIdToken() takes three strict parts of a bounded size and depth, and nothing else",
  () => {
    const [header = "", payload = "", signature = ""] = signJwt(GOOD).split(".");
    const deep = encode(JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`));
    const rows = [
      "",
      "a",
      "a.b.c",
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}!.${signature}`,
      `${header}.${payload} .${signature}`,
      `${header}.${payload}.sig!`,
      `${header}.${encode([1])}.${signature}`,
      `${header}.${encode("text")}.${signature}`,
      `${header}.${encode(null)}.${signature}`,
      `${encode([])}.${payload}.${signature}`,
      `${header}.${Buffer.from([0xff, 0xfe]).toString("base64url")}.${signature}`,
      `${header}.${deep}.${signature}`,
      `${header}.${encode({ ...GOOD, pad: "x".repeat(70_000) })}.${signature}`,
    ];
    for (const token of rows) {
      assert.throws(
        () => validateIdToken(token, HTTPS),
        { code: "ID_TOKEN_INVALID" },
        token.slice(0, 80),
      );
    }
  },
);

verifies("S38", "decodeClaims() keeps hostile names as data", () => {
  const payload = Buffer.from('{"__proto__":{"admin":true},"constructor":1}').toString("base64url");
  const claims = decodeClaims(`h.${payload}.s`);
  assert.equal((claims as { admin?: unknown }).admin, undefined);
  assert.ok(Object.hasOwn(claims, "__proto__"));
  assert.equal(Object.getPrototypeOf(claims), Object.prototype);
});

verifies(
  ["S37", "S38"],
  "validateIdToken() gives claims or a LoginError that repeats nothing, whatever it is given",
  () => {
    const part = fc.oneof(fc.string(), fc.jsonValue().map(encode));
    fc.assert(fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      try {
        assert.equal(typeof validateIdToken(parts.join("."), LOOPBACK).claims, "object");
      } catch (thrown) {
        assert.ok(thrown instanceof LoginError && thrown.code === "ID_TOKEN_INVALID");
      }
    }));
  },
);
