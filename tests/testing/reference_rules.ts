import assert from "node:assert/strict";

const MODES = new Set(
  "apikey chatgpt chatgptAuthTokens headers agentIdentity personalAccessToken bedrockApiKey bedrockAccessKeys"
    .split(" "),
);

/** The rules by which the reference reads auth.json, written down anew from its observed behaviour: throws where it would. */
export function assertReferenceReads(text: string): Record<string, unknown> {
  assert.ok(!text.startsWith("\ufeff"), "a byte order mark");
  const file = JSON.parse(text) as Record<string, unknown>;
  assert.ok(typeof file === "object" && file !== null && !Array.isArray(file));
  optional(file["auth_mode"], (mode) => assert.ok(typeof mode === "string" && MODES.has(mode)));
  optional(file["OPENAI_API_KEY"], (key) => assert.equal(typeof key, "string"));
  optional(file["last_refresh"], (time) => {
    assert.ok(typeof time === "string" && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(time));
    assert.ok(!Number.isNaN(Date.parse(time)));
  });
  optional(file["tokens"], (value) => {
    const tokens = value as Record<string, unknown>;
    for (const name of ["access_token", "refresh_token"]) {
      assert.equal(typeof tokens[name], "string");
    }
    const parts = String(tokens["id_token"]).split(".");
    assert.ok(parts.length >= 3 && parts.every((part) => part !== ""));
    JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    optional(tokens["oauth_provenance"], (provenance) => {
      const { issuer, client_id } = provenance as Record<string, unknown>;
      assert.ok(typeof issuer === "string" && typeof client_id === "string");
    });
  });
  return file;
}

function optional(value: unknown, check: (value: unknown) => void): void {
  if (value !== undefined && value !== null) check(value);
}
