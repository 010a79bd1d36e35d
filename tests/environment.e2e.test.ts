import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { verifies } from "./testing/verifies.ts";

const IS_DENO = SUBJECT === "source" && "Deno" in globalThis;
const SLOW = { timeout: 60_000 };

verifies(
  "S71",
  `${SUBJECT}: variables that make a runtime talk or take a detour have no effect`,
  SLOW,
  async () => {
    await using home = await createHome();
    await using issuer = await startIssuer();
    await using proxy = await occupy(0);
    const variables: Record<string, string> = {
      NODE_DEBUG: "http,https,net,tls,fetch",
      NODE_USE_ENV_PROXY: "1",
      BUN_CONFIG_VERBOSE_FETCH: "curl",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    };
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
      variables[name] = variables[name.toLowerCase()] = `http://127.0.0.1:${proxy.port}`;
    }
    // The executable takes no options from a variable and writes no keys; Node honours both by its documentation.
    if (SUBJECT === "executable") {
      variables["NODE_OPTIONS"] = `--require ${join(home.path, "absent.js")}`;
      variables["SSLKEYLOGFILE"] = join(home.path, "keys");
    }
    await using program = startLogin(home, issuer, [], { env: variables });
    const authUrl = await program.authUrl();
    await visit(authUrl);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.equal(proxy.connections, 0);
    assert.match(stderr, /NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect/);
    assertNoSecrets(stdout + stderr.replace(authUrl, ""), issuer, authUrl);
    assert.ok(!(await home.list()).includes("keys"));
  },
);

verifies("S71", "variables that would give secrets away are refused by name", {
  ...SLOW,
  skip: !IS_DENO && SUBJECT !== "executable" &&
    "only where a runtime cannot be told to ignore them",
}, async () => {
  await using home = await createHome();
  await using issuer = await startIssuer();
  const preload = join(home.path, "preload.js");
  await writeFile(preload, "");
  const variables: Record<string, string> = IS_DENO
    ? {
      OTEL_DENO: "true",
      SSLKEYLOGFILE: join(home.path, "keys"),
      NODE_OPTIONS: `--require ${preload}`,
    }
    : {
      BUN_OPTIONS: `--preload ${preload}`,
      BUN_ENABLE_CRASH_REPORTING: "1",
      BUN_CRASH_REPORT_URL: "http://127.0.0.1:9/",
      BUN_INSPECT: "ws://127.0.0.1:0/x",
      BUN_INSPECT_CONNECT_TO: "ws://127.0.0.1:9/",
    };
  for (const [name, value] of Object.entries(variables)) {
    for (const args of [["status"], ["login", "--issuer", issuer.url, "--no-browser"]]) {
      const { exitCode, stderr } = await runProgram(home, args, { env: { [name]: value } });
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, new RegExp(`^error\\[CONFIG\\]: ${name} is set[^]*unset ${name}$`, "m"));
    }
  }
  assert.equal(issuer.requests.length, 0);
  // Deno creates the file for the keys before it runs anything; nothing came into it.
  assert.equal((await home.textOutsideAuth()).trim(), "");
});
