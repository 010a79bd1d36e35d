import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangeIdTokenForApiKey } from "../../src/oauth/api_key.ts";
import type { FetchInit } from "../../src/world.ts";
import { createAttempt } from "../testing/attempt.ts";

const SIGNAL = new AbortController().signal;

test("exchangeIdTokenForApiKey() sends the reference's members within five seconds and gives the key", async () => {
  const asked: FetchInit[] = [];
  const key = await exchangeIdTokenForApiKey(
    (_, init) => {
      asked.push(init);
      return Promise.resolve(Response.json({ access_token: "sk-1" }));
    },
    await createAttempt(),
    "i.d.t",
    SIGNAL,
  );
  assert.equal(key, "sk-1");
  assert.equal(asked[0]?.limitMs, 5_000);
  assert.equal(
    asked[0]?.body,
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id=app_EMoamEEZ73f0CkXaXp7hrann" +
      "&requested_token=openai-api-key&subject_token=i.d.t" +
      "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token",
  );
});

test("exchangeIdTokenForApiKey() gives nothing for every failure", async () => {
  const attempt = await createAttempt();
  const answers: (() => Promise<Response>)[] = [
    () => Promise.reject(new Error("network")),
    () => Promise.resolve(new Response("{}", { status: 403 })),
    () => Promise.resolve(new Response("<html>")),
    () => Promise.resolve(Response.json({})),
    () => Promise.resolve(Response.json({ access_token: "" })),
    () => Promise.resolve(Response.json({ access_token: "two words" })),
    () => Promise.resolve(Response.json({ access_token: "k".repeat(5000) })),
  ];
  for (const fetch of answers) {
    assert.equal(await exchangeIdTokenForApiKey(fetch, attempt, "i.d.t", SIGNAL), undefined);
  }
});
