import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { childPath } from "../src/child_path.ts";
import { type Config, type ConfigFlags, DEFAULTS, resolveConfig } from "../src/config.ts";
import type { LoginError } from "../src/errors.ts";
import { resolveHome } from "../src/home_folder.ts";
import { checkSettings } from "../src/own_settings.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";

async function resolveWith(
  env: Record<string, string>,
  flags: ConfigFlags = {},
): Promise<Config> {
  return await resolveConfig(await createWorld({ env, platform: "linux" }), flags);
}

test("resolveConfig() without anything is the reference's own login", async () => {
  await using home = await createHome();
  const config = await resolveWith({ HOME: home.path });
  assert.equal(config.home, join(home.path, ".codex"));
  assert.equal(config.logDir, join(home.path, ".codex", "log"));
  assert.equal(config.issuer.base, "https://auth.openai.com");
  assert.equal(config.clientId, "app_EMoamEEZ73f0CkXaXp7hrann");
  assert.equal(config.originator, "codex_cli_rs");
  assert.match(config.userAgent, /^codex_cli_rs\/\d+\.\d+\.\d+ \(linux; \w+\) unknown$/);
  assert.equal(config.store, "file");
  assert.equal(config.revocationEndpoint, undefined);
  assert.deepEqual(config.notes, []);
});

test("resolveConfig() finds the home: flag, CODEX_HOME, HOME, the system; empty is unset, relative is from here", async () => {
  await using home = await createHome();
  assert.equal(
    (await resolveWith({ CODEX_HOME: "/b", HOME: "/c" }, { codexHome: home.path })).home,
    home.path,
  );
  assert.equal((await resolveWith({ CODEX_HOME: home.path, HOME: "/c" })).home, home.path);
  assert.equal(
    (await resolveWith({ CODEX_HOME: "", HOME: home.path })).home,
    join(home.path, ".codex"),
  );
  assert.equal((await resolveWith({ CODEX_HOME: "sub/x" })).home, resolve("sub/x"));
  assert.equal((await resolveWith({})).home, join(homedir(), ".codex"));
});

test("resolveConfig() takes settings from the file and from -c, which wins", async () => {
  await using home = await createHome();
  await writeFile(
    join(home.path, "config.toml"),
    `model = "x"\nforced_login_method = "api"\nforced_chatgpt_workspace_id = ["a", " b ", ""]\nlog_dir = "/logs"\n[other]\nx = 1\n`,
  );
  const config = await resolveWith({ CODEX_HOME: home.path }, {
    overrides: ["forced_login_method=chatgpt"],
  });
  assert.equal(config.forcedLoginMethod, "chatgpt");
  assert.deepEqual(config.forcedWorkspaceIds, ["a", "b"]);
  assert.equal(config.logDir, "/logs");
  const one = await resolveWith({ CODEX_HOME: home.path }, {
    overrides: ['forced_chatgpt_workspace_id="w"'],
  });
  assert.deepEqual(one.forcedWorkspaceIds, ["w"]);
});

test("resolveConfig() refuses settings, ids and addresses that cannot be meant", async () => {
  await using home = await createHome();
  const env = { CODEX_HOME: home.path };
  const rows: [ConfigFlags, Record<string, string>, string][] = [
    [{ overrides: ["cli_auth_credentials_store=bogus"] }, env, "CONFIG"],
    [{ overrides: ["forced_login_method=both"] }, env, "CONFIG"],
    [{ overrides: ["forced_chatgpt_workspace_id=5"] }, env, "CONFIG"],
    [{ overrides: ["novalue"] }, env, "CONFIG"],
    [{ overrides: ["=1"] }, env, "CONFIG"],
    [{ clientId: "two words" }, env, "CONFIG"],
    [{ issuer: "http://issuer.test" }, env, "ISSUER_INVALID"],
    [{}, { ...env, CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "a\nb" }, "CONFIG"],
    [{}, { ...env, CODEX_REVOKE_TOKEN_URL_OVERRIDE: "http://evil.test/revoke" }, "ISSUER_INVALID"],
    [{}, { ...env, CODEX_REFRESH_TOKEN_URL_OVERRIDE: "junk" }, "ISSUER_INVALID"],
  ];
  for (const [flags, variables, code] of rows) {
    await assert.rejects(
      resolveWith(variables, flags),
      { code, exitCode: 2 },
      JSON.stringify([flags, variables]),
    );
  }
});

test("resolveConfig() starts a relative log_dir from its file, and that of -c from where the person is", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "config.toml"), 'log_dir = "rel"\n');
  const env = { CODEX_HOME: home.path };
  assert.equal((await resolveWith(env)).logDir, join(home.path, "rel"));
  assert.equal((await resolveWith(env, { overrides: ["log_dir=rel"] })).logDir, resolve("rel"));
});

test("resolveConfig() names the place of a setting that it refuses", async () => {
  await using home = await createHome();
  const path = join(home.path, "config.toml");
  await writeFile(path, 'forced_login_method = "both"\n');
  await assert.rejects(resolveWith({ CODEX_HOME: home.path }), (error: LoginError) => {
    return error.message.includes("forced_login_method") &&
      (error.reason ?? "").startsWith(`${path}: expected`);
  });
  await assert.rejects(
    resolveWith({ CODEX_HOME: home.path }, { overrides: ["forced_login_method=x"] }),
    {
      reason: /^-c: expected \("chatgpt" \| "api"\), found "x"$/,
    },
  );
});

test("resolveConfig() says when the environment moves revocations", async () => {
  const refresh = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: "https://r.test/a/b?c=d", HOME: "/nowhere" };
  const moved = await resolveWith(refresh);
  assert.equal(moved.revocationEndpoint, "https://r.test/oauth/revoke");
  assert.match(moved.notes.join(), /CODEX_REFRESH_TOKEN_URL_OVERRIDE/);
  const both = await resolveWith({
    ...refresh,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: "http://127.0.0.1:9/end?x=y",
  });
  assert.equal(both.revocationEndpoint, "http://127.0.0.1:9/end?x=y");
  assert.match(both.notes.join(), /CODEX_REVOKE_TOKEN_URL_OVERRIDE/);
});

test("the terminal's name in the user agent cannot break a header", async () => {
  const { userAgent } = await resolveWith({
    HOME: "/nowhere",
    TERM_PROGRAM: "i\r\nX: y (",
    TERM_PROGRAM_VERSION: "1.0\u00e9",
  });
  assert.match(userAgent, / i__X__y__\/1\.0_$/);
});

test("without any setting the same holds as with settings that say nothing", () => {
  assert.deepEqual(DEFAULTS, checkSettings(new Map()));
  const other = { value: 1, source: "config.toml" };
  assert.deepEqual(DEFAULTS, checkSettings(new Map([["model", other]])));
});

test("a home is made absolute as the platform does it, whether or not its module is needed", async () => {
  const part = fc.constantFrom("a", ".codex", "..", ".", "", "a b", "é", "...", "~");
  await fc.assert(fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
    const path = `/${parts.join("/")}`;
    const world = await createWorld({ env: { HOME: path }, platform: "linux" });
    assert.equal(await resolveHome(world, path), resolve(path));
    assert.equal(await resolveHome(world, undefined), join(resolve(path), ".codex"));
    assert.equal(childPath(resolve(path), "x.json"), join(resolve(path), "x.json"));
  }));
});
