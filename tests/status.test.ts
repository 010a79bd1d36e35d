import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { runCli } from "../src/cli.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { signJwt } from "./testing/jwt.ts";
import { ADA, authClaim } from "./testing/users.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

const SCHEMA = new URL("../schemas/status.schema.json", import.meta.url);
/** Every status of these tests is held against the schema that other programs may read. */
const isStatus = new Ajv2020({ validateFormats: false, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(SCHEMA, "utf8")),
);

const NOW = Date.UTC(2026, 10, 21);
const ID_TOKEN = signJwt({
  sub: "s",
  email: ADA.email,
  "https://api.openai.com/auth": authClaim(ADA),
});

function accessToken(expiresIn: number): string {
  return signJwt({ exp: NOW / 1000 + expiresIn });
}

function chatGpt(tokens: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: ID_TOKEN,
      access_token: accessToken(3600),
      refresh_token: "rt-secret-value",
      ...tokens,
    },
    last_refresh: "2026-11-20T23:59:59.123456789Z",
  };
}

const LONG_TOKEN = "at-0123456789012345678901234567890123456701234567";

async function status(
  home: TestHome,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ exitCode: number; words: string; json: Record<string, unknown> }> {
  const world = await createWorld({
    env,
    now: () => NOW,
    fetch: () => Promise.reject(new Error("status asks nobody")),
  });
  const exitCode = await runCli(["status", "--codex-home", home.path, ...args], world);
  const asJson = await runCli(["status", "--json", "--codex-home", home.path, ...args], world);
  assert.equal(asJson, exitCode);
  const json = JSON.parse(world.data.splice(0)[0] ?? "");
  if (exitCode <= 1) assert.ok(isStatus(json), JSON.stringify(isStatus.errors));
  return { exitCode, words: world.words.join("\n"), json };
}

test("status of nobody says so, makes nothing and exits 1", async () => {
  await using home = await createHome();
  const { exitCode, words, json } = await status(home);
  assert.equal(exitCode, 1);
  assert.match(words, /Nobody is signed in/);
  assert.deepEqual(json, {
    schemaVersion: 1,
    loggedIn: false,
    authMode: null,
    account: null,
    accessToken: null,
    lastRefresh: null,
    apiKey: null,
    store: "file",
    path: home.authPath,
    issuer: null,
    overriddenBy: null,
  });
  assert.deepEqual(await home.list(), []);
});

test("status of a ChatGPT login tells who, until when, and where from", async () => {
  await using home = await createHome();
  await home.writeAuth(chatGpt());
  const { exitCode, words, json } = await status(home);
  assert.equal(exitCode, 0);
  assert.ok(
    words.includes(
      "Signed in with ChatGPT as ada@example.com (plan plus, workspace Analytical Engines).",
    ),
  );
  assert.ok(words.includes("valid until 2026-11-21T01:00:00.000Z"));
  assert.deepEqual(json, {
    schemaVersion: 1,
    loggedIn: true,
    authMode: "chatgpt",
    account: { email: "ada@example.com", plan: "plus", accountId: "acct-1111", userId: "user-ada" },
    accessToken: { expiresAt: "2026-11-21T01:00:00.000Z", expired: false },
    lastRefresh: "2026-11-20T23:59:59.123Z",
    apiKey: null,
    store: "file",
    path: home.authPath,
    issuer: "https://auth.openai.com",
    overriddenBy: null,
  });
  assert.ok(!(words + JSON.stringify(json)).includes("rt-secret-value"));
});

test("status calls an expired access token signed in only while it can be renewed", async () => {
  const rows: [tokens: Record<string, unknown>, exitCode: number][] = [
    [{ access_token: accessToken(-1) }, 0],
    [{ access_token: accessToken(-1), refresh_token: "" }, 1],
    [{ access_token: accessToken(1), refresh_token: "" }, 0],
    [{ access_token: "opaque", refresh_token: "" }, 0],
    [{ access_token: "", refresh_token: "" }, 1],
    [{ access_token: "", refresh_token: "rt" }, 0],
    [{ access_token: signJwt({ exp: "soon" }) }, 0],
    [{ access_token: signJwt({ exp: 1e300 }) }, 0],
  ];
  for (const [tokens, exitCode] of rows) {
    await using home = await createHome();
    await home.writeAuth(chatGpt(tokens));
    assert.equal((await status(home)).exitCode, exitCode, JSON.stringify(tokens));
  }
});

test("status takes nothing for a login that is none", async () => {
  const rows: unknown[] = [
    {},
    { tokens: null },
    { auth_mode: "chatgpt" },
    { auth_mode: "apikey", OPENAI_API_KEY: null },
    { auth_mode: "apikey", OPENAI_API_KEY: "" },
    { other: 1 },
    "",
  ];
  for (const content of rows) {
    await using home = await createHome();
    await home.writeAuth(content);
    assert.equal((await status(home)).exitCode, 1, JSON.stringify(content));
  }
});

test("status of an API key shows it masked, also one that masking cannot cut", async () => {
  for (
    const key of [
      "sk-proj-0123456789abcdefghij",
      "sk-14-letters!",
      `sk-1234${"é".repeat(9)}x${"é".repeat(3)}`,
    ]
  ) {
    await using home = await createHome();
    await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: key });
    const { exitCode, words, json } = await status(home);
    assert.equal(exitCode, 0);
    assert.match(String(json["apiKey"]), /\*\*\*/);
    assert.ok(!words.includes(key) && !JSON.stringify(json).includes(key));
  }
});

test("status knows the logins of other kinds", async () => {
  const rows: [content: unknown, mode: string, says: string][] = [
    [
      { OPENAI_API_KEY: null, personal_access_token: "at-1" },
      "personalAccessToken",
      "Signed in with the personal access token ***.",
    ],
    [
      { OPENAI_API_KEY: null, personal_access_token: LONG_TOKEN },
      "personalAccessToken",
      "Signed in with the personal access token at-01234***4567.",
    ],
    [
      { bedrock_api_key: { api_key: "k", region: "r" } },
      "bedrockApiKey",
      "Signed in with an API key of Amazon Bedrock.",
    ],
    [
      { bedrock_access_keys: { access_key_id: "a", secret_access_key: "s" } },
      "bedrockAccessKeys",
      "Signed in with AWS access keys for Amazon Bedrock.",
    ],
    [
      { auth_mode: "agentIdentity", agent_identity: "x.y.z" },
      "agentIdentity",
      "Signed in with an agent identity.",
    ],
    [
      { ...chatGpt({ access_token: accessToken(-60) }), auth_mode: "chatgptAuthTokens" },
      "chatgptAuthTokens",
      "Signed in with ChatGPT tokens that another program gave, as ada@example.com (plan plus, " +
      "workspace Analytical Engines).\n" +
      "The access token expired at 2026-11-20T23:59:00.000Z and is renewed by the program that gave it.",
    ],
  ];
  for (const [content, mode, says] of rows) {
    await using home = await createHome();
    await home.writeAuth(content);
    const { exitCode, json, words } = await status(home);
    assert.equal(exitCode, 0);
    assert.equal(json["authMode"], mode);
    assert.ok(words.startsWith(says), words);
    assert.ok(!words.includes(mode) && !`${words}${JSON.stringify(json)}`.includes(LONG_TOKEN));
  }
});

test("status takes no mode for a login without what the mode needs", async () => {
  const rows: unknown[] = [
    { auth_mode: "headers" },
    { auth_mode: "bedrockApiKey" },
    { auth_mode: "bedrockApiKey", bedrock_api_key: { api_key: "" } },
    { auth_mode: "bedrockAccessKeys", bedrock_access_keys: { access_key_id: "a" } },
    { auth_mode: "agentIdentity" },
    { auth_mode: "personalAccessToken", personal_access_token: "" },
    { auth_mode: "chatgptAuthTokens" },
  ];
  for (const content of rows) {
    await using home = await createHome();
    await home.writeAuth(content);
    assert.equal((await status(home)).exitCode, 1, JSON.stringify(content));
  }
  await using home = await createHome();
  await home.writeAuth({ ...chatGpt(), auth_mode: "chatgptAuthTokens" });
  assert.equal((await status(home)).exitCode, 0);
});

test("status calls a time that no calendar has damage, and takes a leap second for what it is", async () => {
  const rows: [time: string, exitCode: number][] = [
    ["2026-13-01T00:00:00Z", 3],
    ["2026-02-30T00:00:00Z", 3],
    ["2026-11-21T00:00:00+25:00", 3],
    ["2016-12-31T23:59:60Z", 0],
  ];
  for (const [time, exitCode] of rows) {
    await using home = await createHome();
    await home.writeAuth({ ...chatGpt(), last_refresh: time });
    assert.equal(
      await runCli(["status", "--codex-home", home.path], await createWorld()),
      exitCode,
      time,
    );
  }
});

test("status obeys the forced settings", async () => {
  await using home = await createHome();
  await home.writeAuth(chatGpt());
  const rows: [setting: string, exitCode: number][] = [
    ["forced_login_method=chatgpt", 0],
    ["forced_login_method=api", 1],
    ["forced_chatgpt_workspace_id=acct-1111", 0],
    ["forced_chatgpt_workspace_id=acct-9", 1],
  ];
  for (const [setting, exitCode] of rows) {
    const { exitCode: actual, words } = await status(home, ["-c", setting]);
    assert.equal(actual, exitCode, setting);
    assert.equal(words.includes("does not fit the setting"), exitCode === 1);
  }
});

test("status cannot tell the workspace of a personal access token, and says when it matters", async () => {
  await using home = await createHome();
  await home.writeAuth({ personal_access_token: LONG_TOKEN });
  const says = /workspace fits the setting forced_chatgpt_workspace_id is checked when it is used/;
  for (const [setting, isSaid] of [["acct-1", true], ["", false]] as const) {
    const args = ["-c", `forced_chatgpt_workspace_id=${setting}`];
    for (const env of [{}, { CODEX_ACCESS_TOKEN: LONG_TOKEN }]) {
      const { exitCode, words } = await status(home, args, env);
      assert.equal(exitCode, 0, words);
      assert.equal(says.test(words), isSaid);
    }
    assert.ok(!says.test((await status(home, [...args, "--quiet"])).words));
  }
});

test("status --quiet gives the answer all the same", async () => {
  await using home = await createHome();
  const nobody = await status(home, ["--quiet"]);
  assert.equal(nobody.exitCode, 1);
  assert.equal(nobody.words, "Nobody is signed in. To sign in: codex-login");
  await home.writeAuth(chatGpt());
  assert.equal((await status(home, ["--quiet"])).words, (await status(home)).words);
});

test("status says when a variable wins over what is stored", async () => {
  await using home = await createHome();
  await home.writeAuth(chatGpt());
  const rows: [token: string, exitCode: number, mode: string | null][] = [
    ["at-secret-token", 0, "personalAccessToken"],
    [accessToken(60), 0, "agentIdentity"],
    [accessToken(-60), 1, null],
    ["nonsense", 1, null],
  ];
  for (const [token, exitCode, mode] of rows) {
    const { exitCode: actual, json, words } = await status(home, [], { CODEX_ACCESS_TOKEN: token });
    assert.equal(actual, exitCode);
    assert.equal(json["overriddenBy"], "CODEX_ACCESS_TOKEN");
    assert.equal(json["authMode"], mode);
    assert.ok(words.includes("CODEX_ACCESS_TOKEN is set"));
    assert.ok(!words.includes(token));
  }
  const forced = await status(home, ["-c", "forced_login_method=api"], {
    CODEX_ACCESS_TOKEN: "at-secret-token",
  });
  assert.equal(forced.exitCode, 1);
  assert.ok(forced.words.includes("does not fit the setting forced_login_method"));
});

test("status of a damaged file is an error of its own, and the file stays", async () => {
  await using home = await createHome();
  await home.writeAuth("{");
  const world = await createWorld();
  assert.equal(await runCli(["status", "--codex-home", home.path, "--json"], world), 3);
  assert.equal(JSON.parse(world.data[0] ?? "").error.code, "CREDENTIALS_CORRUPT");
  assert.equal(await home.readAuth(), "{");
});

verifies("S65", "status cleans what tokens say of people", async () => {
  await using home = await createHome();
  const id_token = signJwt({
    email: "a\x1b[31m\u202e@b.c",
    "https://api.openai.com/auth": { chatgpt_account_id: "x\ny" },
  });
  await home.writeAuth(
    chatGpt({ id_token, oauth_provenance: { issuer: "https://i.test/\x1b[2J", client_id: "c" } }),
  );
  assert.ok(!/(?!\n)\p{C}/u.test((await status(home)).words));
});

test("status reads every vector that the reference may have left", async () => {
  for (
    const name of [
      "chatgpt_without_mode.json",
      "key_and_tokens_without_mode.json",
      "members_of_others.json",
    ]
  ) {
    await using home = await createHome();
    await home.writeAuth(
      readFileSync(new URL(`vectors/auth_files/${name}`, import.meta.url), "utf8"),
    );
    assert.equal((await status(home)).exitCode, 0, name);
  }
});
