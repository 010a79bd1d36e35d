import assert from "node:assert/strict";
import { test } from "node:test";
import { type RevocationRequest, revokeToken } from "../../src/oauth/revocation.ts";
import type { Fetch, FetchInit } from "../../src/world.ts";
import { verifies } from "../testing/verifies.ts";

const REQUEST: RevocationRequest = {
  endpoint: "https://issuer.test/oauth/revoke",
  token: "rt-secret-1",
  tokenTypeHint: "refresh_token",
  clientId: "app_test",
  originator: "codex_cli_rs",
  userAgent: "codex_cli_rs/0.1.0 (linux; x64) xterm",
};
const SIGNAL = new AbortController().signal;

function scripted(...statuses: number[]): { fetch: Fetch; asked: FetchInit[] } {
  const asked: FetchInit[] = [];
  return {
    asked,
    fetch: (_, init) => {
      const status = statuses[asked.length] ?? 500;
      asked.push(init);
      return Promise.resolve(new Response('{"error":"no rt-secret-1 here"}', { status }));
    },
  };
}

test("revokeToken() asks in the reference's form", async () => {
  const { fetch, asked } = scripted(200);
  await revokeToken(fetch, REQUEST, SIGNAL);
  assert.equal(
    asked[0]?.body,
    '{"token":"rt-secret-1","token_type_hint":"refresh_token","client_id":"app_test"}',
  );
  assert.deepEqual(Object.keys(asked[0]?.headers ?? {}), [
    "content-type",
    "originator",
    "user-agent",
    "accept",
  ]);
});

test("revokeToken() sends no client id with an access token", async () => {
  const { fetch, asked } = scripted(202);
  await revokeToken(fetch, { ...REQUEST, tokenTypeHint: "access_token" }, SIGNAL);
  assert.equal(asked[0]?.body, '{"token":"rt-secret-1","token_type_hint":"access_token"}');
});

test("revokeToken() asks once more in the form of RFC 7009 when the issuer cannot read JSON", async () => {
  for (const status of [400, 415]) {
    const { fetch, asked } = scripted(status, 200);
    await revokeToken(fetch, REQUEST, SIGNAL);
    assert.equal(asked[1]?.headers?.["content-type"], "application/x-www-form-urlencoded");
    assert.equal(
      asked[1]?.body,
      "token=rt-secret-1&token_type_hint=refresh_token&client_id=app_test",
    );
  }
});

verifies("S61", "revokeToken() says why it was refused, without the token", async () => {
  for (const statuses of [[500], [403], [302], [400, 400]]) {
    await assert.rejects(revokeToken(scripted(...statuses).fetch, REQUEST, SIGNAL), {
      code: "TOKEN_ENDPOINT",
      reason: `HTTP ${statuses.at(-1)}, no [redacted] here`,
    });
  }
});
