import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createClean } from "../src/known_secrets.ts";
import { createHome } from "./testing/home.ts";
import { signJwt } from "./testing/jwt.ts";
import { verifies } from "./testing/verifies.ts";

verifies(
  "S64",
  "what is stored, and what the environment holds, is cut out of any text",
  async () => {
    await using home = await createHome();
    await home.writeAuth({
      OPENAI_API_KEY: "plain-old-key",
      extra: { deep: ["hidden-in-a-list"] },
    });
    await writeFile(`${home.authPath}.pending`, '{"OPENAI_API_KEY":"pending-key"}');
    await mkdir(join(home.path, "profiles"));
    await writeFile(join(home.path, "profiles", "a.json"), '{"OPENAI_API_KEY":"profile-key"}');
    const env = { MY_PASSWORD: "pass+word/1", HTTPS_PROXY: "http://ada:p%40ssw0rd@proxy.test:1" };
    const clean = await createClean({ env }, home.path, true);
    const secrets = [
      "plain-old-key",
      "hidden-in-a-list",
      "pending-key",
      "profile-key",
      "pass+word/1",
    ];
    for (
      const secret of [...secrets, "p%40ssw0rd", "p@ssw0rd", encodeURIComponent("pass+word/1")]
    ) {
      assert.equal(clean(`before ${secret} after`), "before [redacted] after");
    }
    const without = await createClean({ env: {} }, home.path, false);
    assert.equal(without("plain-old-key"), "plain-old-key");
  },
);

verifies("S64", "what looks like a secret is cut out though nobody knows it", async () => {
  const clean = await createClean({ env: {} }, "", true);
  for (
    const [text, shown] of [
      [`token ${signJwt({ a: 1 })}.`, /^token \[redacted\]/],
      ["sk-proj-0123456789abcdef", /^\[redacted\]$/],
      ["at-0123456789abcdef0123", /^\[redacted\]$/],
      ["Authorization: Bearer abcdefgh1234", /Bearer \[redacted\]$/],
      ["http://user:pw@host/x", /^http:\/\/\*\*\*@host\/x$/],
      [
        "/auth/callback?code=abcdefgh&state=12345678",
        /^\/auth\/callback\?code=\[redacted\]&state=\[redacted\]$/,
      ],
    ] as const
  ) assert.match(clean(text), shown);
});

test("ordinary words, codes of ours and addresses stay; what moves a cursor does not", async () => {
  const clean = await createClean({ env: {} }, "", true);
  for (
    const text of [
      "failed code=DEVICE_CODE_UNAVAILABLE issuer=https://auth.openai.com status=503",
      "/home/ada/.codex/auth.json (0600, yours)",
      "look at this: a-t-b sk- rt_",
    ]
  ) assert.equal(clean(text), text);
  assert.equal(clean("a\x1b[31mb\u202ec\nd"), "a[31mbc d");
});

test("of a login that is damaged, what is in quotes is cut out; a part of a secret never hides the rest", async () => {
  await using home = await createHome();
  const key = "personal_access_token-and-more";
  await home.writeAuth(
    `{"personal_access_token": "${key}", "x": "and-more", "cut": "ends-with-the-fil\\"e`,
  );
  const clean = await createClean({ env: { MY_TOKEN: "and-more" } }, home.path, true);
  assert.equal(
    clean(`a ${key} b and-more c ends-with-the-fil"e`),
    "a [redacted] b [redacted] c [redacted]",
  );
  assert.equal(clean("personal_access_token"), "personal_access_token");
});
