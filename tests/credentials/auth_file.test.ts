import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  apiKeyDocument,
  chatGptDocument,
  type NewLogin,
} from "../../src/credentials/auth_document.ts";
import { formatAuthFile, parseAuthFile } from "../../src/credentials/auth_file.ts";
import { LoginError } from "../../src/errors.ts";
import { signJwt } from "../testing/jwt.ts";
import { assertReferenceReads } from "../testing/reference_rules.ts";
import { verifies } from "../testing/verifies.ts";

const FOLDER = new URL("../vectors/auth_files/", import.meta.url);
const NEW_LOGIN: NewLogin = {
  idToken: signJwt({ sub: "u" }),
  accessToken: "at",
  refreshToken: "rt",
  issuer: "https://auth.openai.com",
  clientId: "app_test",
  loginOwnerId: "owner",
  accountId: null,
  at: Date.UTC(2026, 10, 21, 0, 2, 25, 601),
};

const MODES: Record<string, string> = {
  "key_without_mode.json": "apikey",
  "key.json": "apikey",
  "chatgpt_without_mode.json": "chatgpt",
  "key_and_tokens_without_mode.json": "apikey",
  "chatgpt.json": "chatgpt",
  "chatgpt_with_provenance.json": "chatgpt",
  "personal_access_token.json": "personalAccessToken",
  "bedrock_key.json": "bedrockApiKey",
  "bedrock_access_keys.json": "bedrockAccessKeys",
  "agent_identity.json": "agentIdentity",
  "members_of_others.json": "chatgpt",
};

function vector(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}

test("parseAuthFile() reads auth.json of every known version, and the rewritten file is still the reference's", () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(MODES).sort());
  for (const [name, mode] of Object.entries(MODES)) {
    const text = vector(name);
    const credentials = parseAuthFile(text);
    assert.equal(credentials?.mode, mode, name);
    const rewritten = formatAuthFile(credentials.document);
    assert.deepEqual(assertReferenceReads(rewritten), JSON.parse(text), name);
    for (
      const document of [
        chatGptDocument(NEW_LOGIN, credentials.document),
        apiKeyDocument("sk-1", credentials.document),
      ]
    ) {
      assertReferenceReads(formatAuthFile(document));
    }
  }
});

test("chatGptDocument() writes the reference's form to the byte", () => {
  assert.equal(
    formatAuthFile(chatGptDocument({ ...NEW_LOGIN, idToken: "i.d.t" }, undefined)),
    `{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": null,
  "tokens": {
    "id_token": "i.d.t",
    "access_token": "at",
    "refresh_token": "rt",
    "oauth_provenance": {
      "issuer": "https://auth.openai.com",
      "client_id": "app_test"
    },
    "login_owner_id": "owner",
    "account_id": null
  },
  "last_refresh": "2026-11-21T00:02:25.601000000Z"
}`,
  );
  assert.equal(
    formatAuthFile(apiKeyDocument("sk-1", undefined)),
    '{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-1"\n}',
  );
});

verifies(
  "S50",
  "a new login keeps top-level members that nobody knows, to the digit, and nothing else of the old one",
  () => {
    const old = parseAuthFile(vector("members_of_others.json"));
    const text = formatAuthFile(chatGptDocument(NEW_LOGIN, old?.document));
    for (
      const kept of [
        '"big": 12345678901234567890',
        '"precise": 1.0',
        '"__proto__": {\n    "kept": "as data"',
        '"other_tool": {\n    "nested": [\n      "é",\n      "\\u0000",\n      null',
      ]
    ) assert.ok(text.includes(kept), kept);
    for (const gone of ["future_member", "rt_made-up", "2026-11-21 00:02:25Z"]) {
      assert.ok(!text.includes(gone), gone);
    }
    assert.equal(({} as { kept?: unknown }).kept, undefined);
  },
);

verifies("S50", "unknown members survive, whatever JSON they are", () => {
  const known = new Set(Object.keys(JSON.parse(vector("chatgpt_with_provenance.json"))));
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (extra) => {
    const members = Object.entries(extra).filter(([name]) => !known.has(name));
    // V8 takes a name with a backslash for another one: tests/fuzz/hostile.ts.
    fc.pre(
      !members.some(([name]) => /^(agent_identity|personal_access_token|bedrock_)|\\/.test(name)),
    );
    const text = JSON.stringify({ OPENAI_API_KEY: "k", ...Object.fromEntries(members) });
    const document = parseAuthFile(text)?.document;
    const rewritten = JSON.parse(formatAuthFile(apiKeyDocument("sk-1", document)));
    for (const [name, value] of members) {
      assert.deepEqual(rewritten[name], JSON.parse(JSON.stringify(value)));
    }
  }));
});

verifies(
  "S55",
  "parseAuthFile() takes a blank file for none and forgives a byte order mark",
  () => {
    for (const text of ["", " \n\t", "\ufeff"]) assert.equal(parseAuthFile(text), undefined);
    assert.equal(parseAuthFile('\ufeff{"OPENAI_API_KEY":"k"}')?.apiKey, "k");
  },
);

test("parseAuthFile() refuses what the reference refuses, and names a member at most", () => {
  const jwt = signJwt({ sub: "u" });
  const tokens = { id_token: jwt, access_token: "secret-at", refresh_token: "secret-rt" };
  const rows = [
    "{",
    "nonsense secret",
    "[]",
    '"text"',
    "1.0",
    " -0",
    "12345678901234567890",
    '{"OPENAI_API_KEY": "secret"} trailing',
    '{"OPENAI_API_KEY": 5}',
    '{"auth_mode": "ApiKey"}',
    '{"auth_mode": 1}',
    '{"tokens": []}',
    '{"last_refresh": "2026-11-21"}',
    '{"last_refresh": ""}',
    '{"last_refresh": 5}',
    JSON.stringify({ tokens: { ...tokens, id_token: "secret" } }),
    JSON.stringify({ tokens: { ...tokens, id_token: undefined } }),
    JSON.stringify({ tokens: { ...tokens, access_token: null } }),
    JSON.stringify({ tokens: { ...tokens, refresh_token: 5 } }),
    JSON.stringify({ tokens: { ...tokens, oauth_provenance: { issuer: 1 } } }),
    `{"a": ${"[".repeat(100)}${"]".repeat(100)}}`,
    `{"a": "${"x".repeat(1 << 20)}"}`,
  ];
  for (const text of rows) {
    assert.throws(() => parseAuthFile(text), (error: LoginError) => {
      assert.equal(error.code, "CREDENTIALS_CORRUPT", text.slice(0, 60));
      return !`${error.message}${error.reason}`.includes("secret");
    });
  }
});

test("parseAuthFile() gives credentials, nothing or a LoginError, whatever it is given", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      parseAuthFile(text);
    } catch (thrown) {
      assert.ok(thrown instanceof LoginError && thrown.code === "CREDENTIALS_CORRUPT");
    }
  }));
});
