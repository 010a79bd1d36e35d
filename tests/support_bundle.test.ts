import assert from "node:assert/strict";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createClean } from "../src/known_secrets.ts";
import { createBundle, formatBundle } from "../src/support_bundle.ts";
import { examine } from "./testing/examined.ts";
import { createHome, type TestHome } from "./testing/home.ts";

const NOW = Date.UTC(2026, 0, 2);
const RESULT = {
  id: "a.b",
  status: "ok",
  measured: "m",
  expected: null,
  remedy: null,
  ms: 1,
} as const;

async function format(home: TestHome, overrides: string[] = []): Promise<string> {
  const { config } = await examine(home, { overrides });
  return await formatBundle(config, [RESULT], await createClean({ env: {} }, home.path, true), NOW);
}

test("the file is made once, for its owner only, and replaces and follows nothing", async () => {
  await using home = await createHome();
  const path = join(home.path, "report.txt");
  const bundle = await createBundle(path);
  await bundle.write("text");
  assert.equal(await readFile(path, "utf8"), "text");
  if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
  await assert.rejects(createBundle(path), { code: "OUTPUT_FAILED", reason: "it exists already" });
  assert.equal(await readFile(path, "utf8"), "text");
  const target = join(home.path, "target");
  const link = join(home.path, "link");
  await symlink(target, link);
  await assert.rejects(createBundle(link), { code: "OUTPUT_FAILED" });
  await assert.rejects(stat(target));
  await assert.rejects(createBundle(join(home.path, "no/such/folder")), { code: "OUTPUT_FAILED" });
  await (await createBundle(join(home.path, "given-up"))).discard();
  assert.ok(!(await home.list()).includes("given-up"));
});

test("it holds the version, the findings, settings by name and the end of the log", async () => {
  await using home = await createHome();
  assert.match(await format(home), /== settings[^]*\nnone\n[^]*\nthere is none\n/);
  await writeFile(
    join(home.path, "config.toml"),
    [
      'forced_login_method = "chatgpt"',
      'chatgpt_base_url = "https://user:pw-in-url@base.test/api"',
      'model = "theirs"',
      "[mcp_servers.x]",
      'bearer_token = "hidden-token"',
      "enabled = true",
      'env = { SOME_API_KEY = "hidden-key", DATE = 2026-01-01 }',
    ].join("\n"),
  );
  await mkdir(join(home.path, "log"));
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i} code=DNS and more of the same`);
  await writeFile(join(home.path, "log", "codex-login.log"), `${lines.join("\n")}\n`);
  const text = await format(home);
  assert.match(text, /^codex-login \d+\.\d+\.\d+, 2026-01-02T00:00:00\.000Z\n/);
  assert.match(text, /\n\{"id":"a\.b","status":"ok","measured":"m"/);
  assert.match(
    text,
    /\nforced_login_method = "chatgpt" \(\S+config\.toml\)\n/,
  );
  assert.match(text, /chatgpt_base_url = "https:\/\/\*\*\*@base\.test\/api"/);
  assert.match(text, /model = \(a string\)/);
  assert.match(text, /mcp_servers\.x\.enabled = true/);
  assert.ok(!/hidden|theirs|pw-in-url/.test(text));
  assert.match(text, /\nline 4999 code=DNS and more of the same\n$/);
  assert.equal(text.match(/^line /gm)?.length, 300);
});

test("settings that cannot be used and a log that is no file are told", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "config.toml"), "api_key = = 'hidden-value'");
  await mkdir(join(home.path, "log", "codex-login.log"), { recursive: true });
  const text = await format(home);
  assert.match(text, /config\.toml cannot be used: line 1/);
  assert.match(text, /it is no regular file|it is a folder/);
  assert.ok(!text.includes("hidden-value"));
});
