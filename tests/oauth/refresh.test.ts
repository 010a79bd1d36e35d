import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import { type RefreshedTokens, requestRefresh } from "../../src/oauth/refresh.ts";
import type { FetchInit } from "../../src/world.ts";
import { verifies } from "../testing/verifies.ts";

const REQUEST = {
  endpoint: "https://auth.openai.com/oauth/token",
  clientId: "app",
  refreshToken: "rt_secret_0123456789",
  reason: "proactive_expiry",
  originator: "codex_cli_rs",
  userAgent: "ua",
} as const;

interface Answer {
  readonly status: number;
  readonly body: string;
}

function answering(...answers: Answer[]): {
  sent: FetchInit[];
  refresh(remainingMs?: () => number): Promise<RefreshedTokens>;
} {
  const sent: FetchInit[] = [];
  const fetch = (_: string, init: FetchInit): Promise<Response> => {
    const { status, body } = answers[sent.length] ?? { status: 500, body: "" };
    sent.push(init);
    const headers = { "content-type": "application/json" };
    return Promise.resolve(new Response(body, { status, headers }));
  };
  return {
    sent,
    refresh: (remainingMs = () => 20_000) => requestRefresh(fetch, REQUEST, remainingMs),
  };
}

async function refusalOf(...answers: Answer[]): Promise<LoginError> {
  try {
    await answering(...answers).refresh();
  } catch (thrown) {
    if (thrown instanceof LoginError) return thrown;
  }
  throw new Error("it was not refused");
}

test("requestRefresh() asks in the reference's members, headers and order", async () => {
  const { sent, refresh } = answering({ status: 200, body: '{"access_token":"a"}' });
  assert.deepEqual(await refresh(), {
    idToken: undefined,
    accessToken: "a",
    refreshToken: undefined,
    answeredAt: undefined,
  });
  assert.equal(
    sent[0]?.body,
    '{"client_id":"app","grant_type":"refresh_token","refresh_reason":"proactive_expiry",' +
      '"refresh_token":"rt_secret_0123456789"}',
  );
  assert.deepEqual(Object.keys(sent[0]?.headers ?? {}), [
    "content-type",
    "originator",
    "user-agent",
    "accept",
  ]);
  assert.equal(sent[0]?.redirect, "manual");
});

verifies("S59", "requestRefresh() tells what is over from what may work later", async () => {
  const rows: [status: number, body: string, code: string, exitCode: number][] = [
    [401, "", "REFRESH_REFUSED", 4],
    [401, '{"error":{"code":"refresh_token_expired"}}', "REFRESH_TOKEN_EXPIRED", 4],
    [400, '{"error":"Refresh_Token_Reused"}', "REFRESH_TOKEN_REUSED", 4],
    [403, '{"code":"refresh_token_invalidated"}', "REFRESH_TOKEN_REVOKED", 4],
    [500, '{"error":{"code":"refresh_token_expired"}}', "REFRESH_TOKEN_EXPIRED", 4],
    [409, '{"error":{"code":"refresh_token_reused"}}', "REFRESH_TOKEN_REUSED", 4],
    [400, '{"error":"invalid_grant"}', "REFRESH_REFUSED", 4],
    [403, '{"error":"invalid_grant"}', "REFRESH_FAILED", 5],
    [400, '{"error":"other"}', "REFRESH_FAILED", 5],
    [403, "", "REFRESH_FAILED", 5],
    [404, "<html>", "REFRESH_FAILED", 5],
    [418, "", "REFRESH_FAILED", 5],
    [429, '{"error":"slow_down"}', "REFRESH_FAILED", 5],
    [500, "", "REFRESH_FAILED", 5],
    [503, "", "REFRESH_FAILED", 5],
    [307, "", "REFRESH_FAILED", 5],
    [200, "{", "REFRESH_FAILED", 5],
    [200, "{}", "REFRESH_FAILED", 5],
    [200, '{"access_token":"","id_token":null}', "REFRESH_FAILED", 5],
    [200, '{"access_token":7}', "REFRESH_FAILED", 5],
    [200, '{"access_token":"a\\u0000b"}', "REFRESH_FAILED", 5],
    [400, '{"error":"constructor"}', "REFRESH_FAILED", 5],
  ];
  for (const [status, body, code, exitCode] of rows) {
    const error = await refusalOf({ status, body });
    assert.equal(error.code, code, `${status} ${body}`);
    assert.equal(error.exitCode, exitCode);
  }
});

verifies("S36", "requestRefresh() never repeats what was sent in what it says", async () => {
  const echo = JSON.stringify({
    error: "no",
    error_description: `you sent ${REQUEST.refreshToken}`,
  });
  const error = await refusalOf({ status: 401, body: echo });
  assert.ok(!`${error.message} ${error.reason}`.includes(REQUEST.refreshToken));
});

test("requestRefresh() asks once more in the form of RFC 6749 where JSON was not read, and only there", async () => {
  for (
    const unread of [{ status: 415, body: "" }, {
      status: 400,
      body: '{"error":"invalid_request"}',
    }]
  ) {
    const { sent, refresh } = answering(unread, { status: 200, body: '{"refresh_token":"r"}' });
    assert.equal((await refresh()).refreshToken, "r");
    assert.equal(
      sent[1]?.body,
      "client_id=app&grant_type=refresh_token&refresh_token=rt_secret_0123456789",
    );
  }
  const { sent, refresh } = answering({ status: 400, body: '{"error":"invalid_grant"}' });
  await assert.rejects(refresh(), { code: "REFRESH_REFUSED" });
  assert.equal(sent.length, 1);
});

test("requestRefresh() gives both forms one time limit, and asks no more when it is over", async () => {
  const unread = { status: 415, body: "" };
  const good = { status: 200, body: '{"refresh_token":"r"}' };
  for (const [left, limits] of [[300, [20_000, 300]], [0, [20_000]]] as const) {
    const { sent, refresh } = answering(unread, good);
    const refreshing = refresh(() => sent.length === 0 ? 20_000 : left);
    if (left > 0) assert.equal((await refreshing).refreshToken, "r");
    else await assert.rejects(refreshing, { code: "REFRESH_FAILED", status: 415 });
    assert.deepEqual(sent.map(({ limitMs }) => limitMs), limits);
  }
});

test("requestRefresh() takes any answer without harm", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.integer({ min: 200, max: 599 }), async (value, status) => {
      const body = [204, 205, 304].includes(status) ? { status: 200, body: "" } : {
        status,
        body: JSON.stringify(value),
      };
      try {
        await answering(body).refresh();
      } catch (thrown) {
        assert.ok(thrown instanceof LoginError);
        assert.ok([4, 5].includes(thrown.exitCode));
      }
    }),
  );
});
