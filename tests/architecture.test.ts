import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { verifies } from "./testing/verifies.ts";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

/** Imports go only downwards. The list is ARCHITECTURE.md's, highest first; a name with a slash is a folder, whose files may import each other. */
const ranks =
  (/^main\n[^`]*/m.exec(readFileSync(join(SRC, "../ARCHITECTURE.md"), "utf8"))?.[0] ?? "")
    .trim().split("\n").reverse().map((line) => line.split(/\s+/));

const MAX_LINES = 220;
const MEDIAN_LINES = 100;

const files = (readdirSync(SRC, { recursive: true }) as string[])
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"));

function source(file: string): string {
  return readFileSync(join(SRC, file), "utf8");
}

function rankOf(file: string): number {
  const folder = file.includes("/") ? `${file.split("/")[0]}/` : undefined;
  const name = folder ?? file.replace(/\.ts$/, "");
  return ranks.findIndex((names) => names.includes(name));
}

function importsOf(file: string): string[] {
  const found = source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...found].map(([, path = ""]) => posix.join(posix.dirname(file), path)).filter((path) =>
    path.endsWith(".ts")
  );
}

test("every source file has a rank, and imports only from below", () => {
  for (const file of files) {
    assert.notEqual(
      rankOf(file),
      -1,
      `src/${file} has no rank: give it one here and in ARCHITECTURE.md`,
    );
    for (const imported of importsOf(file)) {
      const isSibling = file.includes("/") && posix.dirname(file) === posix.dirname(imported);
      assert.ok(
        isSibling || rankOf(imported) < rankOf(file),
        `src/${file} imports src/${imported}, which is not below it`,
      );
    }
  }
});

test("what a status needs is all that it loads", () => {
  const loaded = new Set<string>();
  function walk(file: string): void {
    if (loaded.has(file)) return;
    loaded.add(file);
    // Only what is loaded with it: types vanish, and `await import` waits until it is needed.
    const code = source(file).replace(/^import type [^;]+;/gm, "").replace(
      /import\("[^"]+"\)/g,
      "",
    );
    const found = [...code.matchAll(/from "(\.[^"]+\.ts)"/g)].map(([, path = ""]) => path);
    for (const path of found) walk(posix.join(posix.dirname(file), path));
  }
  walk("commands/status.ts");
  for (
    const heavy of [
      "callback_server.ts",
      "listener.ts",
      "pages.ts",
      "http.ts",
      "log.ts",
      "login.ts",
      "keyring_access.ts",
      "keyring_helper.ts",
    ]
  ) {
    assert.ok(!loaded.has(heavy), `status loads src/${heavy}`);
  }
});

test("no imports go round in a circle", () => {
  const done = new Set<string>();
  function walk(file: string, path: readonly string[]): void {
    assert.ok(!path.includes(file), `a circle: ${[...path, file].join(" -> ")}`);
    if (done.has(file)) return;
    // These load their implementations on use, which need their types.
    const isLoader = ["runtime/runtime.ts", "runtime/file_reading.ts"].includes(file);
    const imported = isLoader ? [] : importsOf(file);
    for (const one of imported) walk(one, [...path, file]);
    done.add(file);
  }
  for (const file of files) walk(file, []);
});

test("only src/runtime/ names a runtime", () => {
  for (const file of files.filter((one) => !one.startsWith("runtime/"))) {
    const code = source(file).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "").replace(
      /"(?:[^"\\]|\\.)*"|`[^`]*`/g,
      '""',
    );
    assert.ok(!/\b(Deno|Bun)\b/.test(code), `src/${file} names a runtime`);
  }
});

test("only program.ts ends the process, and two files give back what they took whatever ends it", () => {
  const giveBack = ["system_terminal.ts", "login_record.ts"];
  for (const file of giveBack) assert.ok(!/process\s*\.\s*exit\b/.test(source(file)));
  for (const file of files.filter((one) => !["program.ts", ...giveBack].includes(one))) {
    assert.ok(
      !/process\s*\.\s*(exit|on|once|kill)\b/.test(source(file)),
      `src/${file} ends or watches the process`,
    );
  }
});

verifies("S1", "no random value comes from anywhere but the system's generator", () => {
  for (const file of files) {
    assert.ok(!/Math\.random/.test(source(file)), `src/${file} uses Math.random`);
  }
});

test("source files are small: one noun each", () => {
  const lengths = files.map((file) => ({ file, lines: source(file).split("\n").length }));
  for (const { file, lines } of lengths) {
    assert.ok(lines <= MAX_LINES, `src/${file} has ${lines} lines`);
  }
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
  assert.ok((sorted[Math.floor(sorted.length / 2)] ?? 0) < MEDIAN_LINES);
});

test("every source file has tests of its own, or is named with the tests that hold it", () => {
  const elsewhere: Record<string, string> = {
    "world.ts": "types",
    "missing_file.ts": "licenses.e2e.test.ts",
    "log_file.ts": "log.test.ts",
    "environment_secrets.ts": "log.test.ts",
    "started_login.ts": "app_server.test.ts",
    "endpoints.ts": "config.test.ts",
    "account_info.ts": "app_server.test.ts",
    "external_auth.ts": "app_server.test.ts",
    "app_server_account.ts": "app_server.test.ts",
    "app_server_logins.ts": "app_server.test.ts",
    "app_server_params.ts": "app_server.test.ts",
    "rpc_error.ts": "json_rpc.test.ts",
    "next_step.ts": "pages.test.ts",
    "server_notes.ts": "app_server.e2e.test.ts",
    "main.ts": "answers.e2e.test.ts",
    "program.ts": "login.e2e.test.ts",
    "own_settings.ts": "config.test.ts",
    "binding.ts": "listener.test.ts",
    "child_path.ts": "config.test.ts",
    "version.ts": "cli.test.ts",
    "deferred.ts": "login.test.ts",
    "error_kinds.ts": "errors.test.ts",
    "network_error.ts": "http.test.ts",
    "peer.ts": "proc_net.test.ts",
    "port_holder.ts": "listener.test.ts",
    "workspace.ts": "account.test.ts",
    "exchange.ts": "login.test.ts",
    "login_method.ts": "login.test.ts",
    "accept_tokens.ts": "login.test.ts",
    "revoke_login.ts": "logout.test.ts",
    "proc.ts": "proc_net.test.ts",
    "small_file.ts": "settings.test.ts",
    "waiting.ts": "login.test.ts",
    "system_files.ts": "places.e2e.test.ts",
    "login_outcome.ts": "callback_server.test.ts",
    "system_terminal.ts": "screen.e2e.test.ts",
    "paste_input.ts": "paste.test.ts",
    "hardened_headers.ts": "callback_server.test.ts",
    "callback_log.ts": "callback_server.test.ts",
    "settle_earlier.ts": "login.test.ts",
    "organization_setup.ts": "login.test.ts",
    "replaced_notes.ts": "key_login.test.ts",
    "renewal.ts": "refresh.test.ts",
    "refreshable_tokens.ts": "token.test.ts",
    "shared_failure.ts": "refresh.test.ts",
    "clock_offset.ts": "login.test.ts",
    "lazy_log.ts": "log.test.ts",
    "retry_unsent.ts": "refresh.test.ts",
    "sign_in.ts": "status.test.ts",
    "token_expiry.ts": "token.test.ts",
    "token_workspace.ts": "token.test.ts",
    "profile_list.ts": "profiles.test.ts",
    "remove_profile.ts": "profiles.test.ts",
    "keyring_helper.ts": "keyring.e2e.test.ts",
    "redemption.ts": "login.test.ts",
    "login_handle.ts": "types",
    "library_login.ts": "mod.test.ts",
    "library_options.ts": "mod.test.ts",
    "library_session.ts": "mod.test.ts",
    "library_world.ts": "mod.test.ts",
    "account_words.ts": "status.test.ts",
    "mcp_client.ts": "mcp_server.test.ts",
    "mcp_logins.ts": "mcp_server.test.ts",
    "mcp_results.ts": "mcp_server.test.ts",
    "mcp_schemas.ts": "mcp_server.test.ts",
    "mcp_sdk.ts": "mcp_server.test.ts",
    "mcp_sign_in.ts": "mcp_server.test.ts",
    "mcp_status.ts": "mcp_server.test.ts",
    "mcp_tools.ts": "mcp_server.test.ts",
    "status_words.ts": "status.test.ts",
    "logout_words.ts": "logout.test.ts",
    "revocation_words.ts": "logout.test.ts",
    "npx_shell.ts": "npm_tarball.e2e.test.ts",
    "error_json.ts": "cli.test.ts",
    "config_or_defaults.ts": "doctor.test.ts",
    "hops.ts": "doctor.test.ts",
    "home_folder.ts": "config.test.ts",
    "error_kind.ts": "errors.test.ts",
    "network_kinds.ts": "errors.test.ts",
    "certificate_error.ts": "connection.test.ts",
    "connection_options.ts": "types",
    "dial.ts": "connection.test.ts",
    "trust.ts": "connection.test.ts",
    "tls_context.ts": "connection.test.ts",
    "tunnel.ts": "connection.test.ts",
    "route.ts": "doctor.test.ts",
    "licence_sources.ts": "licenses.e2e.test.ts",
    "licence_texts.ts": "licenses.e2e.test.ts",
  };
  const tests = new Set(readdirSync(fileURLToPath(new URL(".", import.meta.url))));
  const roots = files.filter((file) => !file.includes("/"));
  for (const file of roots) {
    const named = elsewhere[file];
    assert.ok(
      named === "types" || tests.has(named ?? file.replace(/\.ts$/, ".test.ts")),
      `src/${file} has no test file`,
    );
  }
});
