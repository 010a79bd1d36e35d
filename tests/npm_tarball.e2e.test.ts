import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { bunPath } from "../tools/bun_path.ts";
import { denoPath } from "./testing/deno_path.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { installTarball, npmCommand, packTarball } from "./testing/npm_tarball.ts";
import { programEnvironment, ROOT, runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { missingTool } from "./testing/tools.ts";

const BUNDLE_ONLY = SUBJECT === "bundle" ? false : "what npm packs is the bundle";
const POSIX_ONLY = BUNDLE_ONLY ||
  (process.platform === "win32" ? "Windows has no such signals" : false);

/** Somebody's project that has the package installed, from the tarball. */
const consumer = await createHome();
after(() => consumer[Symbol.asyncDispose]());
const tarball = BUNDLE_ONLY ? "" : packTarball();
if (!BUNDLE_ONLY) await installTarball(consumer, tarball);
const installed = join(consumer.path, "node_modules/codex-login");

/** As `deno task login` is allowed. */
const RIGHTS = [
  ...["--allow-read", "--allow-write", "--allow-net", "--allow-env", "--allow-run"],
  "--allow-sys=homedir,uid,osRelease,ca,statfs",
];

/** How people start it, and on what it then runs. */
const WAYS: Readonly<Record<string, { readonly command: string[]; readonly runtime: string }>> = {
  npx: { command: [...npmCommand("npx"), "--offline", "codex-login"], runtime: "node" },
  bunx: { command: [bunPath(), "x", "codex-login"], runtime: "node" },
  "bunx --bun": { command: [bunPath(), "x", "--bun", "codex-login"], runtime: "bun" },
  "deno run npm:": {
    command: [denoPath(), "run", "-A", "--quiet", "npm:codex-login"],
    runtime: "deno",
  },
  "deno run with rights": {
    command: [denoPath(), "run", "--no-prompt", ...RIGHTS, join(installed, "dist/cli.js")],
    runtime: "deno",
  },
  node: { command: ["node", join(installed, "dist/cli.js")], runtime: "node" },
};

for (const [name, { command, runtime }] of Object.entries(WAYS)) {
  const there = { program: command, cwd: consumer.path };

  test(`${name}: a login, and exit codes pass through`, { skip: BUNDLE_ONLY }, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const run = (...args: string[]): ReturnType<typeof runProgram> => runProgram(home, args, there);
    assert.equal((await run("status")).exitCode, 1);
    assert.equal((await run("token")).exitCode, 4);
    assert.equal((await run("status", "--no-such-flag")).exitCode, 2);
    await using program = startLogin(home, issuer, [], there);
    const authUrl = await program.authUrl();
    await visit(authUrl);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "");
    assertNoSecrets(stderr.replaceAll(authUrl, ""), issuer, authUrl);
    const status = await run("status", "--json");
    assert.equal(status.exitCode, 0, status.stderr);
    assert.equal(JSON.parse(status.stdout).authMode, "chatgpt");
    const { checks } = JSON.parse((await run("doctor", "--json", "--issuer", issuer.url)).stdout);
    const { measured } = checks.find(({ id }: { id: string }) => id === "program.version");
    assert.match(measured, new RegExp(` on ${runtime} `));
  });
}

for (const [name, { command }] of Object.entries(WAYS)) {
  const there = { program: command, cwd: consumer.path };
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    // npx tells the shell, which does not listen while a program runs; Ctrl-C reaches the program itself.
    if (name === "npx" && signal === "SIGINT") continue;
    test(`${name}: ${signal} ends a login`, { skip: POSIX_ONLY }, async () => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using program = startLogin(home, issuer, [], there);
      await program.authUrl();
      program.kill(signal);
      // Not before its streams are closed: the program itself has ended, not only what started it.
      const ended = await program.ended;
      if (name === "npx") assert.match(ended.stderr, /^error\[TERMINATED\]: Cancelled with npx$/m);
      else assert.equal(ended.exitCode, code, ended.stderr);
      assert.ok(!(await home.list()).includes("auth.json"));
    });
  }
}

test("npx: Ctrl-C in a terminal ends a login", {
  skip: BUNDLE_ONLY || missingTool("setsid", "--version"),
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  // A group of its own, as a shell makes one, and the signal to all of it, as the terminal gives it.
  await using program = startLogin(home, issuer, [], {
    program: WAYS["npx"]?.command ?? [],
    wrapper: ["setsid"],
    cwd: consumer.path,
  });
  await program.authUrl();
  process.kill(-(program.child.pid ?? 0), "SIGINT");
  const { stderr } = await program.ended;
  assert.match(stderr, /^error\[INTERRUPTED\]/m);
});

test("without installing anything: npx with the tarball", { skip: BUNDLE_ONLY }, async () => {
  await using home = await createHome();
  const { exitCode, stdout, stderr } = await runProgram(home, ["--version"], {
    program: [
      ...npmCommand("npx"),
      ...["--offline", "--yes", "--omit=optional", `--package=${tarball}`, "codex-login"],
    ],
  });
  assert.equal(exitCode, 0, stderr);
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  assert.equal(stdout, `codex-login ${version}\n`);
});

const HELLO = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};

for (const name of ["node", "bunx --bun", "deno run with rights"]) {
  test(`${name}: the MCP server finds its SDK`, { skip: BUNDLE_ONLY }, async () => {
    await using home = await createHome();
    const { exitCode, stdout, stderr } = await runProgram(home, ["mcp-server"], {
      program: WAYS[name]?.command ?? [],
      cwd: consumer.path,
      input: `${JSON.stringify(HELLO)}\n`,
    });
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(stdout).result.serverInfo.name, "codex-login");
  });
}

/** Uses the library with a store of its own, and with the keyring. */
const PROGRAM = `
const { createMemoryStore, getAccessToken, LoginError, status } = await import(process.argv[2]);
const { loggedIn } = await status({ store: createMemoryStore() });
const token = await getAccessToken({ store: createMemoryStore() }).catch((thrown) => thrown);
const { reason } = await status({ store: "keyring" }).catch((thrown) => thrown);
console.log(JSON.stringify([loggedIn, token instanceof LoginError && token.code, reason]));
`;

/** Answers as the helper does, but that nobody could. */
const HELPER = `console.log('{"failure":"the test was asked","isAbsent":false}');`;

const RUNTIMES = { node: ["node"], bun: [bunPath()], deno: [denoPath(), "run", "-A", "--quiet"] };
for (const [name, [command = "", ...args]] of Object.entries(RUNTIMES)) {
  test(`the library on ${name}`, { skip: BUNDLE_ONLY }, async () => {
    await using home = await createHome();
    await installTarball(home, tarball);
    await writeFile(join(home.path, "program.js"), PROGRAM);
    // A host's own bundle, of which nobody knows what the cli.js beside it does.
    await mkdir(join(home.path, "dist"));
    const library = await readFile(join(installed, "dist/mod.js"));
    await writeFile(join(home.path, "dist/mod.js"), library);
    const ours = join(home.path, "node_modules/codex-login/dist");
    for (const folder of [ours, join(home.path, "dist")]) {
      await writeFile(join(folder, "cli.js"), HELPER);
    }
    const run = (specifier: string): unknown[] => {
      const { stdout, stderr } = spawnSync(command, [...args, "program.js", specifier], {
        cwd: home.path,
        env: programEnvironment(home, { DBUS_SESSION_BUS_ADDRESS: "unix:path=/none" }),
        encoding: "utf8",
      });
      assert.equal(stderr, "");
      return JSON.parse(stdout);
    };
    const nobody = [false, "NOT_SIGNED_IN"];
    assert.deepEqual(run("codex-login"), [...nobody, "the test was asked"]);
    assert.deepEqual(run("./dist/mod.js"), [
      ...nobody,
      "codex-login is built into another program here, which cannot start its helper",
    ]);
  });
}

test("what is installed is small, runs no script and needs nothing else", {
  skip: BUNDLE_ONLY,
}, async () => {
  const program = await readFile(join(installed, "dist/cli.js"), "utf8");
  assert.ok(Buffer.byteLength(program) < 600_000);
  // Windows starts it by this line too: npm writes a script that says the same.
  assert.ok(program.startsWith("#!/usr/bin/env node\n"));
  if (process.platform !== "win32") {
    assert.equal((await stat(join(installed, "dist/cli.js"))).mode & 0o111, 0o111);
  }
  const { packages } = JSON.parse(
    await readFile(join(consumer.path, "node_modules/.package-lock.json"), "utf8"),
  );
  const [name] = Object.keys(packages);
  assert.equal(name, "node_modules/codex-login");
  assert.equal(packages["node_modules/codex-login"].hasInstallScript, undefined);
  const { dependencies, scripts } = JSON.parse(
    await readFile(join(installed, "package.json"), "utf8"),
  );
  assert.equal(dependencies, undefined);
  assert.deepEqual(Object.keys(scripts).filter((one) => /install|prepare/.test(one)), []);
});

test("publint has nothing to say", { skip: BUNDLE_ONLY }, async () => {
  const { buffer } = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("the types are right, however they are resolved", { skip: BUNDLE_ONLY }, async () => {
  const found = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
  assert.ok(found.types);
  // There is no CommonJS: who is written in that has import().
  assert.deepEqual(found.problems, [
    { kind: "CJSResolvesToESM", entrypoint: ".", resolutionKind: "node16-cjs" },
  ]);
});
