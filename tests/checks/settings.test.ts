import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { caFileChecks } from "../../src/checks/ca_files.ts";
import type { Finding } from "../../src/checks/check.ts";
import { environmentChecks } from "../../src/checks/environment.ts";
import { lockChecks } from "../../src/checks/locks.ts";
import { openerChecks } from "../../src/checks/opener.ts";
import { programChecks } from "../../src/checks/program.ts";
import { settingsChecks } from "../../src/checks/settings_files.ts";
import { assertFinding, examine, findingOf } from "../testing/examined.ts";
import { createHome, type TestHome } from "../testing/home.ts";
import { holdLock } from "../testing/lock_holder.ts";
import { CA_PATH } from "../testing/tls.ts";
import { missingTool } from "../testing/tools.ts";

async function writeConfig(home: TestHome, text: string): Promise<void> {
  await writeFile(join(home.path, "config.toml"), text);
}

test("the program says its version, what it is and where it runs", async () => {
  const checks = programChecks(await examine({ path: "/nonexistent" }));
  assertFinding(
    await findingOf(checks, "program.version"),
    "ok",
    /codex-login \d+\.\d+\.\d+ on (bun|deno|node) \d/,
  );
  assertFinding(await findingOf(checks, "program.executable"), "ok", /sources, .*main\.ts/);
});

test("settings that cannot be used are a failure with its place; the defaults count meanwhile", async () => {
  await using home = await createHome();
  const ask = async (id: string): Promise<Finding> =>
    await findingOf(settingsChecks(await examine(home)), id);
  assertFinding(await ask("settings.files"), "ok");
  await writeConfig(home, "forced_login_method = 'api'\nmodel = 'x'\n");
  assertFinding(await ask("settings.files"), "ok", /config\.toml/);
  assertFinding(await ask("settings.names"), "ok", /set: forced_login_method/);
  for (const near of ["cli_auth_credential_store", "forced_login_methods", "Log-Dir"]) {
    await writeConfig(home, `${near} = 'file'\n`);
    assertFinding(
      await ask("settings.names"),
      "warn",
      new RegExp(`has "${near}"`),
      /correct the name/,
    );
  }
  await writeConfig(home, "a = = 1");
  assertFinding(await ask("settings.files"), "fail", /config\.toml.*line 1/);
  await writeConfig(home, "cli_auth_credentials_store = 'nowhere'");
  assertFinding(await ask("settings.files"), "fail", /cli_auth_credentials_store cannot be used/);
  const { config, obstacle } = await examine(home);
  assert.equal(config.store, "file");
  assert.equal(obstacle?.code, "CONFIG");
  await assert.rejects(examine(home, { overrides: ["nonsense"] }), { code: "CONFIG" });
  const { obstacle: address } = await examine(home, {
    env: { CODEX_REVOKE_TOKEN_URL_OVERRIDE: "http://x.test" },
  });
  assert.ok(address);
});

test("variables that change what runs are told, with what they do", async () => {
  const ask = async (id: string, env: Record<string, string>, hazard = ""): Promise<Finding> => {
    const examined = await examine({ path: "/nonexistent" }, { env });
    const found = hazard === "" ? undefined : { variable: hazard, effect: "it does harm" };
    return await findingOf(environmentChecks({ ...examined, hazard: found }), id);
  };
  assertFinding(await ask("environment.runtime", {}), "ok");
  const names = [
    "BUN_OPTIONS",
    "BUN_INSPECT",
    "NODE_OPTIONS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "DENO_SERVE_ADDRESS",
    "DENO_V8_FLAGS",
    "BUN_BYTECODE_ORDER_OUT",
    "SSLKEYLOGFILE",
  ];
  for (const name of names) {
    assertFinding(
      await ask("environment.runtime", { [name]: "x-value" }),
      "warn",
      new RegExp(`unset ${name}`),
    );
  }
  assertFinding(
    await ask("environment.runtime", { BUN_OPTIONS: "x" }, "BUN_OPTIONS"),
    "fail",
    /it does harm/,
  );
  assertFinding(await ask("environment.proxy", {}), "skip");
  const proxies = {
    HTTPS_PROXY: "http://ada:s3cret/p@ss#word@proxy.test:3128",
    all_proxy: "socks5://user@proxy.test",
    NO_PROXY: "localhost,.test",
  };
  const found = await ask("environment.proxy", proxies);
  assertFinding(found, "ok", /HTTPS_PROXY=http:\/\/\*\*\*@proxy\.test:3128/, /NO_PROXY=localhost/);
  assert.ok(!/s3cret|p@ss|word|ada|user/.test(found.measured), found.measured);
  assertFinding(await ask("environment.codex", {}), "ok");
  const own = await ask("environment.codex", {
    CODEX_HOME: "/somewhere",
    CODEX_ACCESS_TOKEN: "at-hidden",
    CODEX_ANYTHING: "hidden",
    CODEX_AUTHAPI_BASE_URL: "https://u:hidden@a.test/?k=hidden",
  });
  assertFinding(
    own,
    "ok",
    /CODEX_HOME=\/somewhere/,
    /CODEX_ACCESS_TOKEN/,
    /https:\/\/\*\*\*@a\.test\//,
  );
  assert.ok(!own.measured.includes("hidden"));
});

test("files of certificates that are named have to be there, readable, and hold some", async () => {
  await using home = await createHome();
  const path = join(home.path, "ca.pem");
  const ask = async (variable = "CODEX_CA_CERTIFICATE", changes = {}): Promise<Finding> =>
    await findingOf(
      caFileChecks(await examine(home, { env: { [variable]: path }, ...changes })),
      "ca.files",
    );
  assertFinding(
    await findingOf(caFileChecks(await examine(home, { env: {} })), "ca.files"),
    "skip",
  );
  for (const variable of ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
    assertFinding(await ask(variable), "fail", new RegExp(`${variable}=.*does not exist`));
  }
  await writeFile(path, "nothing of that kind");
  assertFinding(await ask(), "fail", /no certificate \(PEM\) is in it/);
  await writeFile(path, "x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assertFinding(await ask(), "fail", /certificate 1, at line 2, cannot be read/);
  const { readFile } = await import("node:fs/promises");
  await writeFile(path, await readFile(CA_PATH));
  assertFinding(await ask(), "ok", /certificates: 1/);
  assertFinding(await ask("SSL_CERT_FILE", { now: () => Date.UTC(2200, 0) }), "warn", /expired/);
  await chmod(path, 0o000);
  if (process.getuid?.() !== 0) assertFinding(await ask(), "fail", /permission denied/);
  const folder = caFileChecks(await examine(home, { env: { SSL_CERT_FILE: home.path } }));
  assertFinding(await findingOf(folder, "ca.files"), "fail", /regular file|folder/);
});

test("a FIFO in the place of a file is not waited for", {
  skip: missingTool("mkfifo", "--version"),
}, async () => {
  await using home = await createHome();
  const path = join(home.path, "fifo");
  spawnSync("mkfifo", [path]);
  const checks = caFileChecks(await examine(home, { env: { SSL_CERT_FILE: path } }));
  assertFinding(await findingOf(checks, "ca.files"), "fail", /not a regular file/);
});

test("what would open the browser is told, and nothing is started", async () => {
  await using home = await createHome();
  const folder = join(home.path, "bin");
  await mkdir(folder);
  const ask = async (id: string, env: Record<string, string>): Promise<Finding> => {
    const examined = await examine(home, { env: { PATH: folder, ...env }, platform: "linux" });
    const found = await findingOf(openerChecks(examined), id);
    assert.equal(examined.world.launched.length, 0);
    return found;
  };
  assertFinding(await ask("browser.opener", {}), "warn", /xdg-open: not found/, /--browser CMD/);
  await writeFile(join(folder, "xdg-open"), "", { mode: 0o755 });
  assertFinding(await ask("browser.opener", {}), "ok", /xdg-open opens it: .*bin\/xdg-open/);
  assertFinding(
    await ask("browser.opener", { BROWSER: "no-such --x" }),
    "warn",
    /no-such \(BROWSER\): not found/,
  );
  const ssh = { SSH_CONNECTION: "10.0.0.1 50000 10.0.0.2 22", USER: "ada" };
  assertFinding(
    await ask("browser.place", ssh),
    "warn",
    /an SSH session/,
    /--device-auth.*ssh -L 1455/,
  );
  assertFinding(
    await ask("browser.place", { ...ssh, BROWSER: "x" }),
    "ok",
    /because BROWSER is set/,
  );
});

test("locks that are free are told so, and who holds one", {
  skip: missingTool("flock", "--version"),
}, async () => {
  await using home = await createHome();
  const ask = async (): Promise<Finding> =>
    await findingOf(lockChecks(await examine(home)), "locks.holders");
  assertFinding(await ask(), "ok", /nobody has made one/);
  assert.deepEqual(await home.list(), []);
  const path = join(home.path, "auth.lock");
  await writeFile(path, "", { mode: 0o600 });
  assertFinding(await ask(), "ok", /auth\.lock is free/);
  await using _held = await holdLock(path);
  assertFinding(await ask(), "warn", /auth\.lock is held by \S+/);
  const open = join(home.path, "auth.refresh.lock");
  await writeFile(open, "");
  await chmod(open, 0o644);
  assertFinding(await ask(), "warn");
  assert.equal(await home.mode("auth.refresh.lock"), "644");
  await mkdir(join(home.path, "auth.json.lock"));
  assertFinding(await ask(), "fail", /auth\.json\.lock is no regular file/);
});
