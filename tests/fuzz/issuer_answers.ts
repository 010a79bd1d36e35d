import assert from "node:assert/strict";
import fc from "fast-check";
import { readAccount } from "../../src/account.ts";
import { isJsonObject } from "../../src/json.ts";
import { exchangeIdTokenForApiKey } from "../../src/oauth/api_key.ts";
import { requestUserCode } from "../../src/oauth/device.ts";
import { readErrorCode, readRefusal, readRequestId } from "../../src/oauth/error_response.ts";
import { decodeClaims, validateIdToken } from "../../src/oauth/id_token.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";
import { requestDeviceEndpoints } from "../../src/oauth/metadata.ts";
import { requestRefresh } from "../../src/oauth/refresh.ts";
import { readTokenResponse } from "../../src/oauth/token.ts";
import { readTokenExpiry } from "../../src/token_expiry.ts";
import type { Fetch } from "../../src/world.ts";
import { requestWorkspaceRouting } from "../../src/workspace_routing.ts";
import { createAttempt } from "../testing/attempt.ts";
import { signJwt } from "../testing/jwt.ts";
import { ADA, authClaim } from "../testing/users.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { hostileJson, hostileObject, hostileText, mutated } from "./hostile.ts";

const NOW = Date.UTC(2026, 10, 27);
const SIGNAL = new AbortController().signal;
/** Nothing secret has been sent yet: the issuer's words are shown. */
const NOTHING_SECRET = { mayRepeat: true };
const ISSUER = parseIssuer("https://issuer.test");
const CLIENT = { issuer: ISSUER, clientId: "app" };
const CLAIMS = {
  iss: "https://issuer.test",
  sub: ADA.sub,
  aud: ["app"],
  exp: NOW / 1000 + 3_600,
  iat: NOW / 1000,
  email: ADA.email,
  "https://api.openai.com/auth": authClaim(ADA),
};
const TOKENS = {
  id_token: signJwt(CLAIMS),
  access_token: `at-${MARK}`,
  refresh_token: `rt-${MARK}`,
  token_type: "Bearer",
  expires_in: 3_600,
};
const USER_CODE = {
  device_auth_id: "id",
  user_code: "ABCD-1234",
  interval: "5",
  expires_at: "2026-11-27T00:15:00Z",
};
const METADATA = {
  issuer: "https://issuer.test",
  device_authorization_endpoint: "https://issuer.test/device",
  token_endpoint: "https://issuer.test/token",
  scopes_supported: ["openid"],
};
const ACCOUNTS = {
  accounts: [{ id: "acct", plan_type: "plus", workspace_backend_origin: "NO_CONSTRAINT" }],
  account_ordering: ["acct"],
};
const ERROR = { error: "invalid_grant", error_description: "it is over", code: "x" };

const aStatus = fc.constantFrom(200, 200, 200, 201, 400, 401, 403, 404, 429, 500, 503);
const aType = fc.constantFrom(
  "application/json",
  "application/json; charset=utf-8",
  "text/html",
  "",
);

interface Answer {
  readonly body: string;
  readonly status: number;
  readonly type: string;
}

const anAnswer = (right: Record<string, unknown>): fc.Arbitrary<Answer> =>
  fc.record({
    body: fc.oneof(
      { weight: 4, arbitrary: hostileJson(right) },
      { weight: 1, arbitrary: hostileJson(ERROR) },
      { weight: 1, arbitrary: hostileText("<html><h1>Bad Gateway</h1>", JSON.stringify(right)) },
    ),
    status: aStatus,
    type: aType,
  });

function toResponse({ body, status, type }: Answer): Response {
  return new Response(body, { status, headers: type === "" ? {} : { "content-type": type } });
}

const giving = (answer: Answer): Fetch => () => Promise.resolve(toResponse(answer));

export const ISSUER_ANSWERS: readonly FuzzProperty[] = [
  fuzzProperty("a token answer", ["S32", "S36"], anAnswer(TOKENS), async (answer) => {
    const tokens = await parsed(() => readTokenResponse(toResponse(answer)));
    if (!tokens) return;
    for (const token of [tokens.idToken, tokens.accessToken, tokens.refreshToken]) {
      assert.ok(typeof token === "string" && token.length > 0);
      assert.doesNotMatch(token, /[\r\n\0]/);
    }
  }),
  fuzzProperty("a renewal's answer", ["S32", "S59"], anAnswer(TOKENS), async (answer) => {
    const request = {
      ...{ endpoint: "https://issuer.test/token", clientId: "app", refreshToken: MARK },
      ...{ reason: "proactive_expiry", originator: "o", userAgent: "u" } as const,
    };
    await parsed(() => requestRefresh(giving(answer), request, () => 20_000));
  }),
  fuzzProperty("an ID token", ["S37", "S38"], hostileObject(CLAIMS), async (claims) => {
    const token = signJwt(claims, { alg: "ES256", typ: "JWT" });
    const expected = { issuer: ISSUER, clientId: "app", now: NOW, answeredAt: undefined };
    const valid = await parsed(() => validateIdToken(token, expected));
    if (!valid) return;
    const { iss, aud } = valid.claims;
    assert.ok(iss === CLAIMS.iss || iss === `${CLAIMS.iss}/`);
    assert.ok([aud].flat().includes("app"));
    // What is shown of a person is made of any claims.
    for (const text of Object.values(readAccount(valid.claims))) {
      assert.ok(text === null || typeof text === "string");
    }
  }),
  fuzzProperty(
    "a text in place of a token",
    ["S37", "S38"],
    mutated(hostileObject(CLAIMS).map((claims) => signJwt(claims))),
    async (token) => {
      const expected = { issuer: ISSUER, clientId: "app", now: NOW, answeredAt: NOW };
      await parsed(() => validateIdToken(token, expected));
      const claims = await parsed(() => decodeClaims(token));
      assert.ok(claims === undefined || isJsonObject(claims));
      const expiry = readTokenExpiry(token);
      assert.ok(expiry === undefined || typeof expiry === "number");
    },
  ),
  fuzzProperty("a device code", ["S40", "S41"], anAnswer(USER_CODE), async (answer) => {
    const code = await parsed(
      () => requestUserCode(giving(answer), CLIENT, NOW, SIGNAL),
      NOTHING_SECRET,
    );
    if (!code) return;
    assert.match(code.userCode, /^[A-Za-z0-9-]{4,16}$/);
    assert.ok(code.intervalMs >= 1_000 && code.intervalMs <= 60_000);
    assert.ok(code.lifetimeMs <= 900_000);
    assert.equal(new URL(code.verificationUrl).origin, "https://issuer.test");
  }),
  fuzzProperty("an issuer's metadata", ["S8", "S10"], anAnswer(METADATA), async (answer) => {
    const found = await parsed(
      () => requestDeviceEndpoints(giving(answer), ISSUER, SIGNAL),
      NOTHING_SECRET,
    );
    if (!found) return;
    for (const url of [found.deviceAuthorization, found.token]) {
      assert.equal(url.protocol, "https:");
    }
  }),
  fuzzProperty("a refusal", ["S36", "S65"], anAnswer(ERROR), async (answer) => {
    const { description, code } = await readRefusal(toResponse(answer), [MARK]);
    assert.doesNotMatch(description, /[\p{Cc}\p{Cf}]/u);
    assert.ok(description.length < 500 && !description.includes(MARK));
    assert.ok(typeof code === "string");
    assert.match(await readErrorCode(toResponse(answer)) ?? "other", /^[a-z_]{1,160}$/);
  }),
  fuzzProperty("a request's id", ["S36", "S65"], hostileText("req_0123", MARK), (id) => {
    const headers = { get: (name: string) => name === "x-request-id" ? id : null };
    assert.match(readRequestId(headers as Headers) ?? "none", /^[\w.:-]{1,100}$/);
  }),
  fuzzProperty("an API key", ["S32"], anAnswer({ access_token: "sk-1" }), async (answer) => {
    const attempt = await createAttempt("https://issuer.test");
    const key = await exchangeIdTokenForApiKey(giving(answer), attempt, "i.d.t", SIGNAL);
    if (key !== undefined) assert.match(key, /^[\x21-\x7e]{1,4096}$/);
  }),
  fuzzProperty("ChatGPT's answer about workspaces", ["S32"], anAnswer(ACCOUNTS), async (answer) => {
    await parsed(() =>
      requestWorkspaceRouting(giving(answer), {
        ...{ baseUrl: "https://chatgpt.com/backend-api/", token: MARK, accountId: "acct" },
        ...{ userAgent: "u", signal: SIGNAL },
      })
    );
  }),
];
