import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { type Ended, ROOT, runProgram, startLogin, startProgram } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA } from "./testing/users.ts";

type Json = Record<string, unknown>;

function readSchema(name: string): Json {
  return JSON.parse(readFileSync(join(ROOT, `schemas/${name}.schema.json`), "utf8"));
}

function compile(name: string): (value: unknown) => boolean {
  // The formats are for readers; the patterns beside them are checked.
  return new Ajv2020({ validateFormats: false, allowUnionTypes: true }).compile(readSchema(name));
}

const isLoginEvent = compile("login_events");
const isStatus = compile("status");
const isToken = compile("token");
const isVersion = compile("version");

/** Every line, each by itself valid, and nothing between them. */
function eventsOf(stdout: string): Json[] {
  assert.ok(stdout.endsWith("\n"));
  return stdout.slice(0, -1).split("\n").map((line) => {
    const event = JSON.parse(line);
    assert.ok(isLoginEvent(event), line);
    return event;
  });
}

const names = (events: readonly Json[]): unknown[] => events.map(({ event }) => event);

function assertFailed(
  { stdout, stderr }: Ended,
  code: string,
  before: readonly string[] = [],
): void {
  const events = eventsOf(stdout);
  assert.deepEqual(names(events), [...before, "failed"], stderr);
  assert.equal((events.at(-1)?.["error"] as Json)["code"], code);
}

test("a browser login's events are written at once, one line each, and are valid", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer, ["--json"]);
  // It is there, whole, while the login still waits.
  const [line] = await program.shows(/^\{.*\}\n/);
  assert.equal(program.child.exitCode, null);
  const [waiting] = eventsOf(line);
  assert.equal(waiting?.["event"], "waiting");
  await visit(String(waiting?.["authUrl"]));
  const ended = await program.ended;
  assert.equal(ended.exitCode, 0);
  const events = eventsOf(ended.stdout);
  assert.deepEqual(names(events), ["waiting", "completed"]);
  assert.deepEqual([events[1]?.["store"], events[1]?.["path"]], ["file", home.authPath]);
  assertNoSecrets(ended.stdout.replace(line, ""), issuer, String(waiting?.["authUrl"]));
});

test("a device login's events are, too", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const args = ["login", "--device-auth", "--issuer", issuer.url, "--json"];
  await using program = startProgram(home, args);
  const [line] = await program.shows(/^\{.*\}\n/);
  assert.equal(program.child.exitCode, null);
  const [shown] = eventsOf(line);
  assert.equal(shown?.["event"], "device_code");
  issuer.enterCode(String(shown?.["userCode"]));
  const ended = await program.ended;
  assert.deepEqual(names(eventsOf(ended.stdout)), ["device_code", "completed"]);
  assertNoSecrets(ended.stdout, issuer);
});

test("a login with a key or an access token has one event", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const key = await runProgram(home, ["login", "--with-api-key", "--json"], { input: "sk-test" });
  assert.deepEqual(eventsOf(key.stdout), [
    { event: "completed", account: null, store: "file", path: home.authPath },
  ]);
  assert.ok(!key.stdout.includes("sk-test"));
  const bad = await runProgram(home, ["login", "--with-api-key", "--json"], { input: "a b" });
  assertFailed(bad, "API_KEY_INVALID");
  issuer.personalAccessTokens.set("at-test-token", ADA);
  const args = ["login", "--with-access-token", "--json"];
  const env = { CODEX_AUTHAPI_BASE_URL: issuer.url };
  const token = await runProgram(home, args, { input: "at-test-token", env });
  const [completed] = eventsOf(token.stdout);
  assert.equal((completed?.["account"] as Json)["email"], ADA.email);
  assert.ok(!token.stdout.includes("at-test-token"));
});

test("whatever fails is one event at the end", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  assertFailed(await runProgram(home, ["login", "--json", "--no-such-flag"]), "USAGE");
  await using late = startLogin(home, issuer, ["--json", "--timeout", "50ms"]);
  assertFailed(await late.ended, "LOGIN_TIMEOUT", ["waiting"]);
  await using stopped = startLogin(home, issuer, ["--json"]);
  await stopped.shows(/^\{.*\}\n/);
  stopped.kill("SIGTERM");
  assertFailed(await stopped.ended, "TERMINATED", ["waiting"]);
  issuer.misbehave.token = {
    status: 400,
    body: JSON.stringify({ error: "invalid_grant", error_description: 'a "quoted"\n\u2028line' }),
  };
  await using refused = startLogin(home, issuer, ["--json"]);
  const [line] = await refused.shows(/^\{.*\}\n/);
  await visit(JSON.parse(line).authUrl);
  assertFailed(await refused.ended, "TOKEN_ENDPOINT", ["waiting"]);
  issuer.misbehave.deviceCode = { status: 404 };
  const device = ["login", "--device-auth", "--issuer", issuer.url, "--json"];
  assertFailed(await runProgram(home, device), "DEVICE_CODE_UNAVAILABLE");
  assert.equal(await home.readAuth().catch(() => undefined), undefined);
});

test("the answers of status and token are valid, with somebody and without", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const ask = async (command: string): Promise<unknown> =>
    JSON.parse((await runProgram(home, [command, "--json"])).stdout);
  assert.ok(isStatus(await ask("status")));
  assert.ok(isToken(await ask("token")));
  await storeLogin(home, issuer, 3_600);
  const [found, token] = [await ask("status"), await ask("token")] as [Json, Json];
  assert.ok(isStatus(found) && found["loggedIn"] === true);
  assert.ok(isToken(token) && typeof token["accessToken"] === "string");
  await home.writeAuth("broken");
  assert.ok(isStatus(await ask("status")));
  assert.ok(isToken(await ask("token")));
});

test("the answers of version are valid, and of a check that fails", async () => {
  await using home = await createHome();
  const found = JSON.parse((await runProgram(home, ["version", "--json"])).stdout);
  assert.ok(isVersion(found), JSON.stringify(found));
  const env = { HTTPS_PROXY: "ftp://127.0.0.1" };
  const failed = await runProgram(home, ["version", "--check", "--json"], { env });
  assert.equal(failed.exitCode, 2);
  assert.ok(isVersion(JSON.parse(failed.stdout)), failed.stdout);
  const answer = {
    schemaVersion: 1,
    current: "1.0.0",
    latest: "1.0.1",
    isNewer: true,
    update: null,
  };
  assert.ok(isVersion(answer));
  for (const name of Object.keys(answer)) assert.ok(!isVersion({ ...answer, [name]: undefined }));
});

test("the schemas name every error code, and refuse what is not as described", () => {
  const codes = Object.keys(ERROR_KINDS);
  for (const name of ["login_events", "status", "token", "version"]) {
    const { error } = readSchema(name)["$defs"] as Record<string, { properties: { code: Json } }>;
    assert.deepEqual(error?.properties.code["enum"], codes, name);
  }
  const waiting = { event: "waiting", authUrl: "http://127.0.0.1:9/a", port: 1455 };
  const completed = { event: "completed", account: null, store: "file", path: "/a/auth.json" };
  const error = { code: "DNS", message: "m", cause: null, hint: "h" };
  const code = {
    event: "device_code",
    verificationUrl: "https://a.test/codex/device",
    userCode: "ABCD-12345",
    expiresAt: "2026-01-02T03:04:05.000Z",
  };
  for (const right of [waiting, completed, { event: "failed", error }, code]) {
    assert.ok(isLoginEvent(right));
    for (const name of Object.keys(right)) {
      assert.ok(!isLoginEvent({ ...right, [name]: undefined }), name);
    }
    assert.ok(!isLoginEvent({ ...right, extra: 1 }));
    assert.ok(!isLoginEvent([right]));
  }
  for (
    const wrong of [
      { ...waiting, event: "done" },
      { ...waiting, port: 0 },
      { ...waiting, port: "1455" },
      { ...waiting, authUrl: "javascript:1" },
      { ...code, expiresAt: "tomorrow" },
      { ...code, expiresAt: 1_700_000_000 },
      { ...completed, account: { email: "a" } },
      { ...completed, store: "memory" },
      { event: "failed", error: { ...error, code: "NO_SUCH" } },
      { event: "failed", error: { ...error, stack: "x" } },
      { event: "failed", error: "DNS" },
      {},
      null,
    ]
  ) assert.ok(!isLoginEvent(wrong), JSON.stringify(wrong));
  assert.ok(!isStatus({ loggedIn: true }) && !isToken({ accessToken: "x" }));
});
