import assert from "node:assert/strict";
import fc from "fast-check";
import { parseSecureUrl } from "../../src/oauth/issuer.ts";
import { pollDeviceToken } from "../../src/oauth/device.ts";
import { pollTokenEndpoint, requestDeviceAuthorization } from "../../src/oauth/device_grant.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";
import { requestWhoami } from "../../src/oauth/personal_access_token.ts";
import { requestRefresh } from "../../src/oauth/refresh.ts";
import { revokeToken } from "../../src/oauth/revocation.ts";
import { exchangeAuthorizationCode } from "../../src/oauth/token.ts";
import { buildSetupUrl } from "../../src/organization_setup.ts";
import { formatJson } from "../../src/json.ts";
import type { Fetch } from "../../src/world.ts";
import { encode, signJwt } from "../testing/jwt.ts";
import { ADA, authClaim } from "../testing/users.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { hostileJson, hostileObject, hostileText } from "./hostile.ts";

const NOW = Date.UTC(2026, 10, 27);
const SIGNAL = new AbortController().signal;
const ISSUER = parseIssuer("https://issuer.test");
const CLIENT = { issuer: ISSUER, clientId: "app" };
const ENDPOINTS = {
  deviceAuthorization: new URL("https://issuer.test/device"),
  token: new URL("https://issuer.test/token"),
  scopes: ["openid"],
};
/** RFC 7636, appendix B. */
const GRANT = {
  authorization_code: "a-code-0123456789",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
};
const DEVICE = {
  device_code: "device-code-0123456789",
  user_code: "ABCD-1234",
  verification_uri: "https://issuer.test/activate",
  interval: 5,
  expires_in: 900,
};
const WHOAMI = {
  chatgpt_user_id: "user-1",
  chatgpt_account_id: "acct-1",
  chatgpt_plan_type: "plus",
  chatgpt_account_is_fedramp: false,
  email: "ada@example.com",
};
const TOKENS = { id_token: "i.d.t", access_token: "at", refresh_token: "rt", token_type: "Bearer" };

/** What was sent, as an answer may repeat it. */
const ECHOES = [
  MARK,
  MARK.toUpperCase(),
  encodeURIComponent(encodeURIComponent(`/${MARK}`)),
  [...MARK].join("\u200b"),
  [...MARK].map((one) => `%${one.charCodeAt(0).toString(16)}`).join(""),
  [...MARK].map((one) => `\\u00${one.charCodeAt(0).toString(16)}`).join(""),
  Buffer.from(MARK).toString("base64"),
  Buffer.from(MARK).toString("hex"),
  `${MARK.slice(0, 9)}\u001b[31m${MARK.slice(9)}`,
];
const anEcho = fc.constantFrom(...ECHOES).chain((echo) =>
  hostileText(`no such code: ${echo}`, `${"x".repeat(290)}${echo}`, echo)
);
const anError = fc.constantFrom(
  "invalid_grant",
  "access_denied",
  "slow_down",
  "expired_token",
  "x",
);
const anErrorBody = fc.tuple(anError, anEcho, anEcho, fc.nat(2)).map(([error, words, more, kind]) =>
  [
    JSON.stringify({ error, error_description: words }),
    JSON.stringify({ error: { code: more, message: words } }),
    words + more,
  ][kind] ?? ""
);

const someHeaders = fc.record({
  "content-type": fc.constantFrom("application/json", "application/json;x", "text/html", "a/b"),
  "retry-after": fc.oneof(
    fc.constantFrom("5", "9".repeat(15), "-1", "1e9"),
    hostileText("Fri, 27"),
  ),
  date: hostileText("Fri, 27 Nov 2026 00:00:00 GMT", "Thu, 01 Jan 275760 00:00:00 GMT"),
  "x-request-id": fc.oneof(anEcho, fc.constant("req_1")),
  "cf-ray": fc.constantFrom(MARK, "abc-FRA"),
  "cf-mitigated": fc.constantFrom("challenge", "x"),
  location: fc.constantFrom("https://evil.test/", "/x"),
}, { requiredKeys: ["content-type"] });

interface Answer {
  readonly body: string;
  readonly status: number;
  readonly headers: Record<string, string>;
}

/** Bodies that never hold a secret of theirs that is not one of ours too: what is accepted may be anything. */
function anAnswer(right: Record<string, unknown>): fc.Arbitrary<Answer> {
  return fc.record({
    body: fc.oneof(
      { weight: 4, arbitrary: hostileJson(right) },
      { weight: 3, arbitrary: anErrorBody },
    ),
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constant(200) },
      { weight: 3, arbitrary: fc.constantFrom(400, 401, 403, 404, 415, 429, 500, 503, 511) },
      { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
    ),
    headers: someHeaders.map((all) =>
      Object.fromEntries(
        Object.entries(all).map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e]/g, "")]),
      )
    ),
  });
}

const giving = ({ body, status, headers }: Answer): Fetch => () =>
  Promise.resolve(
    new Response([204, 205, 304].includes(status) ? null : body, { status, headers }),
  );

/** No word of an answer is shown with a secret in it, in whatever writing that people read at once. */
async function kept<T>(work: () => Promise<T>): Promise<T | undefined> {
  return await parsed(async () => {
    try {
      return await work();
    } catch (thrown) {
      const { message = "", reason = "" } = thrown as { message?: string; reason?: string };
      const words = `${message} ${reason}`.toLowerCase();
      for (const echo of [MARK, Buffer.from(MARK).toString("hex")]) {
        assert.ok(!words.includes(echo.toLowerCase()), "it repeats what was sent");
      }
      assert.ok(!decodeURIComponentSafely(words).includes(MARK), "it repeats what was sent");
      throw thrown;
    }
  });
}

function decodeURIComponentSafely(text: string): string {
  return text.replace(/%[0-7][0-9a-f]/g, (byte) => decodeURIComponent(byte));
}

const POLL = { limitMs: 1_000, now: NOW, signal: SIGNAL };
const AUTHORIZATION = {
  ...{ deviceAuthId: MARK, sentUserCode: "ABCD-1234", userCode: "ABCD-1234" },
  ...{ verificationUrl: "https://issuer.test/codex/device", intervalMs: 5_000, lifetimeMs: 1_000 },
};

function assertPollAnswer(answer: { kind: string; retryAfterMs?: number } | undefined): void {
  if (answer === undefined || answer.kind === "granted") return;
  assert.ok(["pending", "slow down", "unavailable"].includes(answer.kind));
  const { retryAfterMs = -1 } = answer;
  assert.ok(retryAfterMs >= 0 && retryAfterMs <= 300_000);
}

export const ISSUER_FLOWS: readonly FuzzProperty[] = [
  fuzzProperty(
    "the answer to a code",
    ["S32", "S36", "S64"],
    anAnswer(TOKENS),
    async (answer) => {
      const grant = {
        ...CLIENT,
        codeVerifier: `verifier-${MARK}`,
        redirectUri: "http://127.0.0.1",
      };
      const attempt = { ...grant, state: `state-${MARK}` };
      await kept(() => exchangeAuthorizationCode(giving(answer), attempt, MARK, 1_000, SIGNAL));
    },
  ),
  fuzzProperty(
    "the answer to a renewal or a revocation",
    ["S36", "S59", "S61"],
    anAnswer(TOKENS),
    async (answer) => {
      const from = { endpoint: "https://issuer.test/token", originator: "o", userAgent: "u" };
      const renewal = { ...from, clientId: "app", refreshToken: MARK, reason: "forced" } as const;
      await kept(() => requestRefresh(giving(answer), renewal, () => 20_000));
      const end = {
        ...from,
        clientId: "app",
        token: MARK,
        tokenTypeHint: "refresh_token",
      } as const;
      await kept(() => revokeToken(giving(answer), end, SIGNAL));
    },
  ),
  fuzzProperty(
    "the answer to a poll",
    ["S35", "S36", "S41", "S42"],
    anAnswer(GRANT),
    async (answer) => {
      const polled = await kept(() => pollDeviceToken(giving(answer), CLIENT, AUTHORIZATION, POLL));
      assertPollAnswer(polled);
      if (polled?.kind !== "granted") return;
      assert.equal(answer.status, 200);
      assert.match(polled.grant.code, /^[\x20-\x7e]+$/);
    },
  ),
  fuzzProperty(
    "the answer to a poll by the standard",
    ["S32", "S35", "S36", "S41"],
    anAnswer(TOKENS),
    async (answer) => {
      assertPollAnswer(
        await kept(() => pollTokenEndpoint(giving(answer), CLIENT, ENDPOINTS, MARK, POLL)),
      );
    },
  ),
  fuzzProperty(
    "a device code by the standard",
    ["S40", "S41"],
    anAnswer(DEVICE),
    async (answer) => {
      const code = await parsed(
        () => requestDeviceAuthorization(giving(answer), CLIENT, ENDPOINTS, NOW, SIGNAL),
        { mayRepeat: true },
      );
      if (!code) return;
      assert.match(code.userCode, /^[A-Za-z0-9-]{4,16}$/);
      assert.ok(code.intervalMs >= 1_000 && code.intervalMs <= 60_000);
      assert.ok(code.lifetimeMs > 0 && code.lifetimeMs <= 900_000);
      // It is shown, opened and drawn as it is.
      assert.equal(parseSecureUrl(code.verificationUrl, "x").href, code.verificationUrl);
      assert.match(code.verificationUrl, /^https:\/\/[\x21-\x7e]{1,2040}$/);
    },
  ),
  fuzzProperty(
    "whose an access token is",
    ["S32", "S36"],
    anAnswer(WHOAMI),
    async (answer) => {
      const request = {
        base: "https://issuer.test/api",
        token: MARK,
        originator: "o",
        userAgent: "u",
      };
      const account = await kept(() => requestWhoami(giving(answer), request, SIGNAL));
      if (account) assert.ok(account.accountId && account.userId);
    },
  ),
  fuzzProperty(
    "the organization of a token",
    ["S18", "S38"],
    hostileObject({
      ...authClaim(ADA),
      is_org_owner: true,
      organization_id: "org",
      project_id: "p",
    }),
    (claim) => {
      const claims = { "https://api.openai.com/auth": claim };
      const tokens = {
        ...{ idToken: signJwt(claims), refreshToken: "rt", answeredAt: undefined },
        accessToken: `h.${encode(claims)}.s`,
      };
      const url = buildSetupUrl(ISSUER, tokens, claims);
      if (url === undefined) return;
      assert.equal(new URL(url).origin, "https://platform.api.openai.org");
      assert.match(url, /^[\x21-\x7e]+$/);
      assert.equal(new URL(url).searchParams.get("t"), tokens.idToken);
      assert.match(formatJson(claims), /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
    },
  ),
];
