import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { CA_PATH, obtainCallbackByTls, TLS } from "./testing/tls.ts";
import { verifies } from "./testing/verifies.ts";

const IS_DENO = SUBJECT === "source" && "Deno" in globalThis;
const IS_BUN = SUBJECT === "executable" || (SUBJECT === "source" && "Bun" in globalThis);
const SLOW = { timeout: 120_000 };

verifies(
  "S71",
  `${SUBJECT}: variables that make a runtime talk or take a detour have no effect`,
  SLOW,
  async () => {
    await using home = await createHome();
    await using issuer = await startIssuer({ tls: TLS });
    await using proxy = await occupy(0);
    const variables: Record<string, string> = {
      CODEX_CA_CERTIFICATE: CA_PATH,
      NODE_DEBUG: "http,https,net,tls,fetch",
      NODE_DEBUG_NATIVE: "*",
      NODE_USE_ENV_PROXY: "1",
      BUN_CONFIG_VERBOSE_FETCH: "curl",
      BUN_ENABLE_CRASH_REPORTING: "0",
      DENO_LOG: "trace",
      DENO_V8_FLAGS: "--max-old-space-size=512",
      RUST_LOG: "trace",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    };
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
      variables[name] = variables[name.toLowerCase()] = `http://127.0.0.1:${proxy.port}`;
    }
    // Bun takes no options from there and writes no keys; Deno refuses both, and Node honours them by its documentation.
    if (IS_BUN) {
      variables["NODE_OPTIONS"] = `--require ${join(home.path, "absent.js")}`;
      variables["SSLKEYLOGFILE"] = join(home.path, "keys");
    }
    await using program = startLogin(home, issuer, [], { env: variables });
    const authUrl = await program.authUrl();
    await get(await obtainCallbackByTls(authUrl));
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.equal(proxy.connections, 0);
    assert.match(stderr, /NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect/);
    assertNoSecrets(stdout + stderr.replace(authUrl, ""), issuer, authUrl);
    assert.ok(!(await home.list()).includes("keys"));
  },
);

/** Nobody's, and the system gives it to nobody who asks for any. */
const FREE_PORT = 15_564;

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

verifies(
  ["S13", "S71"],
  `${SUBJECT}: no variable has the callback server listen where others reach it`,
  SLOW,
  async () => {
    for (const kind of ["", "duplicate,"]) {
      await using home = await createHome();
      await using issuer = await startIssuer();
      const env = { DENO_SERVE_ADDRESS: `${kind}tcp:0.0.0.0:${FREE_PORT}` };
      await using program = startLogin(home, issuer, [], { env });
      const authUrl = await program.authUrl();
      const redirect = new URL(authUrl).searchParams.get("redirect_uri") ?? "";
      assert.notEqual(new URL(redirect).port, String(FREE_PORT));
      assert.ok(!await isOpen(FREE_PORT), kind);
      await visit(authUrl);
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 0, stderr);
    }
  },
);

verifies("S71", `${SUBJECT}: variables that would give secrets away are refused by name`, {
  ...SLOW,
  skip: !IS_DENO && !IS_BUN && "Node honours its own by its documentation",
}, async () => {
  await using home = await createHome();
  await using issuer = await startIssuer();
  await using elsewhere = await createHome();
  const preload = join(home.path, "preload.js");
  await writeFile(preload, "");
  const variables: readonly (readonly [name: string, value: string])[] = IS_DENO
    ? [
      ["OTEL_DENO", "true"],
      ["SSLKEYLOGFILE", join(home.path, "keys")],
      ["NODE_OPTIONS", `--require ${preload}`],
      ["NODE_OPTIONS", "--no-warnings --inspect=127.0.0.1:0"],
      ["DENO_V8_FLAGS", "--max-old-space-size=512,--no-lazy"],
    ]
    : [
      ["BUN_OPTIONS", `--preload ${preload}`],
      ["BUN_ENABLE_CRASH_REPORTING", "1"],
      ["BUN_CRASH_REPORT_URL", "http://127.0.0.1:9/"],
      ["BUN_INSPECT", "ws://127.0.0.1:0/x"],
      ["BUN_INSPECT_CONNECT_TO", "ws://127.0.0.1:9/"],
      ["BUN_JSC_useDollarVM", "1"],
      // Never a device: as root Bun puts a file in the place of whatever is named.
      ["BUN_BYTECODE_ORDER_OUT", join(elsewhere.path, "order")],
    ];
  for (const [name, value] of variables) {
    const env = { [name]: value };
    for (const args of [["status"], ["login", "--issuer", issuer.url, "--no-browser"]]) {
      const { exitCode, stderr } = await runProgram(home, args, { env });
      assert.equal(exitCode, 2, `${name}: ${stderr}`);
      assert.match(stderr, new RegExp(`^error\\[CONFIG\\]: ${name} is set[^]*unset ${name}$`, "m"));
    }
  }
  assert.equal(issuer.requests.length, 0);
  // Deno creates the file for the keys before it runs anything; nothing came into it.
  assert.equal((await home.textOutsideAuth()).trim(), "");
  const [[name = "", value = ""] = []] = variables;
  const { stdout, stderr } = await runProgram(home, ["doctor", "--issuer", issuer.url], {
    env: { [name]: value },
  });
  assert.match(stdout + stderr, new RegExp(`${name} is set: .*no command but this one runs`));
});
