import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../src/cli.ts";
import { LoginError } from "../src/errors.ts";
import { requestLatestVersion } from "../src/latest_version.ts";
import { VERSION } from "../src/version.ts";
import type { Fetch, FetchInit } from "../src/world.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";

const signal = new AbortController().signal;
const manifest = (version: string): string =>
  JSON.stringify({ name: "codex-login", version, x: [] });

function answering(body: string, status = 200): { fetch: Fetch; asked: [string, FetchInit][] } {
  const asked: [string, FetchInit][] = [];
  const fetch: Fetch = (url, init) => {
    asked.push([url, init]);
    return Promise.resolve(new Response(body, { status }));
  };
  return { fetch, asked };
}

test("one address is asked once, and told nothing but the version that runs", async () => {
  const { fetch, asked } = answering(manifest("9.8.7-rc.1"));
  assert.equal(await requestLatestVersion({ fetch, signal }), "9.8.7-rc.1");
  assert.equal(asked.length, 1);
  const [url, { method, body, headers, limitMs = Infinity }] = asked[0] ?? ["", {}];
  assert.equal(url, "https://registry.npmjs.org/codex-login/latest");
  assert.deepEqual([method, body], [undefined, undefined]);
  assert.deepEqual(headers, { accept: "application/json", "user-agent": `codex-login/${VERSION}` });
  assert.ok(limitMs <= 15_000);
});

test("what is no such answer ends in NETWORK, and nothing of it is shown", async () => {
  const rows: [body: string, status: number, reason: RegExp][] = [
    [manifest("1.0.0"), 500, /^HTTP 500$/],
    [manifest("1.0.0"), 302, /^HTTP 302$/],
    ["{}", 404, /nothing is published/],
    ["<html>", 200, /not JSON/],
    ["[".repeat(40), 200, /not JSON/],
    ["{}", 200, /names no version/],
    [manifest("latest"), 200, /names no version/],
    [manifest("1.0.0\u001b[2J"), 200, /names no version/],
    [JSON.stringify({ name: "other", version: "9.9.9" }), 200, /names no version/],
    [JSON.stringify({ name: "codex-login", version: 9 }), 200, /names no version/],
    ["null", 200, /names no version/],
  ];
  for (const [body, status, reason] of rows) {
    const { fetch } = answering(body, status);
    const error = await requestLatestVersion({ fetch, signal }).catch((thrown) => thrown);
    assert.ok(error instanceof LoginError, body);
    assert.equal(error.code, "NETWORK");
    assert.match(error.reason ?? "", reason);
    assert.equal(error.exitCode, 5);
  }
});

test("the transport's failures keep their code and cause, and speak of the registry", async () => {
  const fail = (
    code: "DNS" | "TLS_UNTRUSTED" | "PROXY_AUTH" | "RESPONSE_TOO_LARGE" | "INTERRUPTED",
    message: string,
  ) =>
    requestLatestVersion({
      fetch: () => Promise.reject(new LoginError(code, message, { reason: "why", hint: "so" })),
      signal,
    }).catch((thrown) => thrown);
  const rows = [
    [
      "DNS",
      "The issuer at a.test could not be asked",
      "DNS",
      "The registry at a.test could not be asked",
    ],
    [
      "RESPONSE_TOO_LARGE",
      "The issuer's answer is not usable",
      "NETWORK",
      "The registry's answer is not usable",
    ],
    ["PROXY_AUTH", "The proxy asks", "PROXY_AUTH", "The proxy asks"],
    ["INTERRUPTED", "Cancelled by SIGINT", "INTERRUPTED", "Cancelled by SIGINT"],
  ] as const;
  for (const [code, message, wanted, words] of rows) {
    const error = await fail(code, message);
    assert.deepEqual([error.code, error.message, error.reason], [wanted, words, "why"]);
  }
});

test("version --check says whether there is a newer one, and exits 0 either way", async () => {
  const rows: [latest: string, words: RegExp, isNewer: boolean][] = [
    [VERSION, /^codex-login \S+ is the latest release\.$/, false],
    ["999.0.0", /^codex-login 999\.0\.0 is out; this is .+\.\nTo update: git pull$/, true],
    ["0.0.1", /is newer than the latest release, 0\.0\.1\.$/, false],
  ];
  await using home = await createHome();
  for (const [latest, words, isNewer] of rows) {
    const { fetch } = answering(manifest(latest));
    const args = ["version", "--check", "--codex-home", home.path];
    const world = await createWorld({ fetch });
    assert.equal(await runCli(args, world), 0);
    assert.match(world.data.join("\n"), words);
    assert.deepEqual(world.words, []);
    const other = await createWorld({ fetch });
    assert.equal(await runCli([...args, "--json"], other), 0);
    const update = isNewer ? "git pull" : null;
    assert.deepEqual(other.data.map((line) => JSON.parse(line)), [
      { schemaVersion: 1, current: VERSION, latest, isNewer, update },
    ]);
  }
  assert.deepEqual(await home.list(), []);
});

test("without --check nobody is asked, by no command about the program", async () => {
  const { fetch, asked } = answering(manifest("999.0.0"));
  for (
    const args of [["version"], ["--version"], ["version", "--json"], ["help"], [
      "completion",
      "zsh",
    ], ["licenses"]]
  ) {
    const world = await createWorld({ fetch });
    assert.equal(await runCli([...args, "--codex-home", join("/", "nowhere")], world), 0, args[0]);
    assert.ok(!world.data.join().includes("999.0.0"));
  }
  assert.deepEqual(asked, []);
});
