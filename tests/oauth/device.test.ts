import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import { pollDeviceToken, requestUserCode } from "../../src/oauth/device.ts";
import { readPollAnswer } from "../../src/oauth/poll_answer.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";
import { verifies } from "../testing/verifies.ts";

const NOW = Date.UTC(2026, 10, 21);
const SIGNAL = new AbortController().signal;
const CLIENT = { issuer: parseIssuer("https://issuer.test/x/"), clientId: "client" };
/** RFC 7636, appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

function answer(body: unknown, init: ResponseInit = {}): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { headers: { "content-type": "application/json" }, ...init });
}

test("requestUserCode() reads the reference's answer, and undefined when there is no such endpoint", async () => {
  const given = { device_auth_id: "id", usercode: "AB-CD", interval: "7", verification_uri: "x:y" };
  const code = await requestUserCode(() => Promise.resolve(answer(given)), CLIENT, NOW, SIGNAL);
  assert.deepEqual(code, {
    deviceAuthId: "id",
    sentUserCode: "AB-CD",
    userCode: "AB-CD",
    verificationUrl: "https://issuer.test/x/codex/device",
    intervalMs: 7_000,
    lifetimeMs: 900_000,
  });
  const gone = answer({}, { status: 404 });
  assert.equal(await requestUserCode(() => Promise.resolve(gone), CLIENT, NOW, SIGNAL), undefined);
});

test("requestUserCode() judges the end of a code by the issuer's clock, however wrong ours is", async () => {
  const headers = { "content-type": "application/json", date: "Sat, 21 Nov 2026 00:00:00 GMT" };
  const body = { device_auth_id: "id", user_code: "ABCD", expires_at: "2026-11-21T00:02:00Z" };
  const fetch = (): Promise<Response> => Promise.resolve(answer(body, { headers }));
  const code = await requestUserCode(fetch, CLIENT, NOW + 1e12, SIGNAL);
  assert.equal(code?.lifetimeMs, 120_000);
});

verifies(
  "S42",
  "pollDeviceToken() gives a grant whose verifier fits its challenge (RFC 7636 B)",
  async () => {
    const authorization = {
      deviceAuthId: "id",
      sentUserCode: "ABCD",
      userCode: "ABCD",
      verificationUrl: "",
      intervalMs: 1,
      lifetimeMs: 1,
    };
    const granted = { authorization_code: "c", code_challenge: CHALLENGE, code_verifier: VERIFIER };
    const poll = (body: unknown): ReturnType<typeof pollDeviceToken> =>
      pollDeviceToken(() => Promise.resolve(answer(body)), CLIENT, authorization, {
        limitMs: 1,
        now: NOW,
        signal: SIGNAL,
      });
    assert.deepEqual(await poll({ ...granted, more: 1 }), {
      kind: "granted",
      grant: {
        ...CLIENT,
        code: "c",
        codeVerifier: VERIFIER,
        redirectUri: "https://issuer.test/x/deviceauth/callback",
      },
    });
    await assert.rejects(poll({ ...granted, code_challenge: `${CHALLENGE}=` }), {
      code: "TOKEN_RESPONSE_INVALID",
      reason: "its code_challenge is not that of its code_verifier",
    });
  },
);

function judge(response: Response): ReturnType<typeof readPollAnswer<string>> {
  return readPollAnswer(response, {
    secrets: ["SECRET-0123"],
    pendingStatuses: [403, 404],
    now: NOW,
    readGrant: (granted) => granted.text(),
  });
}

verifies(
  ["S35", "S41"],
  "readPollAnswer() obeys Retry-After in seconds and as a date, and five minutes of it at most",
  async () => {
    const date = "Sat, 21 Nov 2026 00:00:00 GMT";
    const rows: [headers: Record<string, string>, ms: number][] = [
      [{}, 0],
      [{ "retry-after": "7" }, 7_000],
      [{ "retry-after": "-7" }, 0],
      [{ "retry-after": "1.5" }, 0],
      [{ "retry-after": "soon" }, 0],
      [{ "retry-after": "3600" }, 300_000],
      [{ "retry-after": "Sat, 21 Nov 2026 00:00:09 GMT" }, 9_000],
      [{ "retry-after": "Sat, 21 Nov 2026 00:00:09 GMT", date }, 9_000],
      [{ "retry-after": "Fri, 20 Nov 2026 00:00:00 GMT" }, 0],
      [{ "retry-after": "Sat, 21 Nov 2099 00:00:00 GMT" }, 300_000],
    ];
    for (const [headers, retryAfterMs] of rows) {
      assert.deepEqual(await judge(answer("", { status: 429, headers })), {
        kind: "slow down",
        retryAfterMs,
      });
      assert.deepEqual(await judge(answer("", { status: 503, headers })), {
        kind: "unavailable",
        why: "HTTP 503",
        retryAfterMs,
      });
    }
  },
);

test("a busy issuer is left alone for as long as it says, whatever else it says", async () => {
  const headers = { "retry-after": "4" };
  const pending = { error: "authorization_pending" };
  assert.deepEqual(await judge(answer(pending, { status: 429, headers })), {
    kind: "slow down",
    retryAfterMs: 4_000,
  });
  for (const status of [400, 403]) {
    assert.deepEqual(await judge(answer(pending, { status, headers })), {
      kind: "pending",
      retryAfterMs: 4_000,
    });
  }
});

test("readPollAnswer() ends on words that name a denial or an expiry, and on no others", async () => {
  const ends: Record<string, string> = {
    access_denied: "ACCESS_DENIED",
    ACCESS_DENIED: "ACCESS_DENIED",
    authorization_declined: "ACCESS_DENIED",
    user_denied: "ACCESS_DENIED",
    user_cancelled: "ACCESS_DENIED",
    denied: "ACCESS_DENIED",
    deviceauth_authorization_denied: "ACCESS_DENIED",
    expired_token: "LOGIN_TIMEOUT",
    token_expired: "LOGIN_TIMEOUT",
    expired: "LOGIN_TIMEOUT",
    deviceauth_code_expired: "LOGIN_TIMEOUT",
  };
  for (const [word, code] of Object.entries(ends)) {
    for (const status of [200, 400, 403, 404, 429, 500]) {
      for (const body of [{ error: word }, { error: { code: word } }, { code: word }]) {
        await assert.rejects(judge(answer(body, { status })), { code }, word);
      }
    }
  }
  for (const word of ["permission_denied", "not_denied_yet", "session_expired", "pending", "x"]) {
    assert.deepEqual(await judge(answer({ error: word }, { status: 403 })), {
      kind: "pending",
      retryAfterMs: 0,
    });
  }
});

verifies(
  "S36",
  "readPollAnswer() gives an answer or a LoginError, and repeats nothing that was sent",
  async () => {
    const status = fc.integer({ min: 200, max: 599 }).filter((one) =>
      ![204, 205, 304].includes(one)
    );
    const body = fc.oneof(fc.json(), fc.string(), fc.constant('{"error":"SECRET-0123"}'));
    await fc.assert(fc.asyncProperty(status, body, async (code, text) => {
      try {
        await judge(answer(text, { status: code }));
      } catch (thrown) {
        assert.ok(thrown instanceof LoginError);
        assert.ok(!`${thrown.message} ${thrown.reason}`.includes("SECRET-0123"));
      }
    }));
  },
);
