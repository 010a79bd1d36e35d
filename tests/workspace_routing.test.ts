import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import { requestWorkspaceRouting, type WorkspaceRouting } from "../src/workspace_routing.ts";
import type { FetchInit } from "../src/world.ts";

const TOKEN = "eyJ.secret.token";
const GOOD = {
  id: "acct-1111",
  plan_type: "plus",
  name: "Analytical Engines",
  structure: "workspace",
  workspace_backend_origin: "https://eu.chatgpt.com",
  account_routing_override: "us_cr",
};

async function ask(
  answer: unknown,
  { status = 200, baseUrl = "https://chatgpt.com/backend-api/" } = {},
): Promise<{ routing: WorkspaceRouting; asked: [string, FetchInit][] }> {
  const asked: [string, FetchInit][] = [];
  const body = typeof answer === "string" ? answer : JSON.stringify(answer);
  const routing = await requestWorkspaceRouting((url, init) => {
    asked.push([url, init]);
    return Promise.resolve(new Response(body, { status }));
  }, {
    baseUrl,
    token: TOKEN,
    accountId: "acct-1111",
    userAgent: "editor/1",
    signal: new AbortController().signal,
  });
  return { routing, asked };
}

function refuses(asking: Promise<unknown>, reason: RegExp): Promise<void> {
  return assert.rejects(asking, (thrown) => {
    assert.ok(thrown instanceof LoginError, String(thrown));
    assert.match(`${thrown.message}: ${thrown.reason}`, reason);
    assert.ok(!`${thrown.message} ${thrown.reason}`.includes(TOKEN));
    return true;
  });
}

test("the workspace of the login is asked about, as the reference asks", async () => {
  const { routing, asked } = await ask({ accounts: [{ ...GOOD, id: "other" }, GOOD] });
  assert.deepEqual(routing, {
    accountId: "acct-1111",
    name: "Analytical Engines",
    planType: "plus",
    backendOrigin: "https://eu.chatgpt.com",
    accountRoutingOverride: "us_cr",
  });
  const [[url, init]] = asked as [[string, FetchInit]];
  assert.equal(url, "https://chatgpt.com/backend-api/wham/accounts/check");
  assert.deepEqual(Object.keys(init.headers ?? {}), [
    "user-agent",
    "authorization",
    "chatgpt-account-id",
    "accept",
  ]);
  assert.equal(init.redirect, "manual");
});

test("without a constraint the backend is where the question went", async () => {
  const free = { ...GOOD, workspace_backend_origin: "NO_CONSTRAINT" };
  const { routing } = await ask({ accounts: [free] }, { baseUrl: "http://127.0.0.1:8000/api" });
  assert.equal(routing.backendOrigin, "http://127.0.0.1:8000");
});

test("what is refused, missing or no https origin is a failure that keeps the token to itself", async () => {
  await refuses(ask({}, { status: 401 }), /HTTP 401/);
  await refuses(ask({ accounts: [] }), /not among/);
  await refuses(ask({ accounts: [{ ...GOOD, account_routing_override: "moon" }] }), /not usable/);
  for (
    const origin of [
      "http://eu.chatgpt.com",
      "https://eu.chatgpt.com/path",
      "https://user:pass@eu.chatgpt.com",
      "javascript:alert(1)",
      "https://eu.chatgpt.com\n.evil.test",
      "",
    ]
  ) {
    const other = { ...GOOD, workspace_backend_origin: origin };
    await refuses(ask({ accounts: [other] }), /backend/);
  }
  await refuses(ask({ accounts: [GOOD] }, { baseUrl: "http://chatgpt.com" }), /chatgpt_base_url/);
});

test("no answer, whatever it is, is more than a LoginError", async () => {
  await fc.assert(fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (body) => {
    await refuses(ask(body), /could not be asked about/);
  }));
});
