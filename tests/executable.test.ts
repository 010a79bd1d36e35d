import assert from "node:assert/strict";
import { chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { programCommand, ROOT, runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { missingTool } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const EXECUTABLE_ONLY = SUBJECT === "executable" ? false : "only for the executable";

/** A folder that would like to take part in everything that is started in it. */
async function plantHostileFolder(home: TestHome, issuerUrl: string): Promise<string> {
  const folder = join(home.path, "hostile");
  await mkdir(join(folder, "node_modules", "hono"), { recursive: true });
  const preload = `require("fs").writeFileSync(${JSON.stringify(join(home.path, "owned"))}, "x");`;
  const files: Record<string, string> = {
    ".env":
      `CODEX_HOME=${folder}\nCODEX_REVOKE_TOKEN_URL_OVERRIDE=${issuerUrl}/stolen\nNODE_TLS_REJECT_UNAUTHORIZED=0\n`,
    ".env.local": `CODEX_HOME=${folder}\n`,
    ".env.production": `CODEX_HOME=${folder}\n`,
    ".env.development.local": `CODEX_HOME=${folder}\n`,
    ".npmrc": "registry=http://127.0.0.1:9/\n",
    "auth.json": '{"OPENAI_API_KEY":"sk-planted"}',
    "jsconfig.json": "{ broken",
    "deno.jsonc": "{ broken",
    "bun.lock": "{ broken",
    "bunfig.toml": 'preload = ["./preload.js"]\n',
    "preload.js": preload,
    "tsconfig.json": "{ broken",
    "package.json": "{ broken",
    "deno.json": "{ broken",
    "config.toml": "broken = = =",
    "node_modules/hono/index.js": preload,
    "node_modules/hono/package.json": '{"name":"hono","main":"index.js"}',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

verifies("S70", "a hostile current folder changes nothing", { skip: EXECUTABLE_ONLY }, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const cwd = await plantHostileFolder(home, issuer.url);
  await using program = startLogin(home, issuer, [], { cwd });
  await visit(await program.authUrl());
  assert.equal((await program.ended).exitCode, 0);
  assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  assert.ok(!(await home.list()).includes("owned"));
  for (const args of [["status"], ["token"], ["doctor"], ["app-server"], ["logout"]]) {
    const ended = await runProgram(home, args, { cwd });
    assert.equal(ended.exitCode, 0, `${args}: ${ended.stderr}`);
    assert.ok(!(ended.stdout + ended.stderr).includes("sk-planted"));
  }
  assert.ok(!(await home.list()).includes("owned"));
});

verifies(
  ["S70", "S72"],
  "nothing in the current folder is even opened, and only the issuer is called",
  {
    skip: EXECUTABLE_ONLY || missingTool("strace", "-V"),
  },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const cwd = await plantHostileFolder(home, issuer.url);
    const trace = join(home.path, "trace");
    await using program = startLogin(home, issuer, [], {
      cwd,
      wrapper: ["strace", "-f", "-qq", "-e", "trace=open,openat,connect,execve", "-o", trace],
    });
    await visit(await program.authUrl());
    assert.equal((await program.ended).exitCode, 0);
    const calls = await readFile(trace, "utf8");
    const opened = [...calls.matchAll(/open(?:at)?\((?:AT_FDCWD, )?"([^"]+)"/g)].map((
      [, path = ""],
    ) => path);
    assert.ok(opened.length > 10);
    assert.deepEqual(opened.filter((path) => path.startsWith(cwd) || !path.startsWith("/")), []);
    const peers = [
      ...calls.matchAll(/connect\(\d+, \{sa_family=AF_INET6?, .*?sin6?_port=htons\((\d+)\)/g),
    ];
    assert.deepEqual([...new Set(peers.map(([, port]) => port))], [new URL(issuer.url).port]);
    assert.equal([...calls.matchAll(/execve\(/g)].length, 1);
  },
);

verifies("S68", "a waiting login can neither dump its memory nor be read by other processes", {
  skip: EXECUTABLE_ONLY || (process.platform !== "linux" && "only Linux has /proc"),
}, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const isRoot = process.getuid?.() === 0;
  // As root nothing could be told apart: then the program runs as somebody else.
  if (isRoot) await chown(home.path, 65_534, 65_534);
  await using program = startLogin(home, issuer, [], {
    wrapper: isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [],
    cwd: "/",
  });
  await program.authUrl();
  const folder = `/proc/${program.child.pid}`;
  assert.match(await readFile(`${folder}/limits`, "utf8"), /^Max core file size +0 +0 /m);
  // The kernel gives the files of a process that cannot be dumped to root.
  assert.equal((await stat(`${folder}/environ`)).uid, 0);
  assert.match(await readFile(`${folder}/status`, "utf8"), isRoot ? /^Uid:\t65534/m : /^Uid:/m);
});

verifies("S75", "no machine's path and no test's secret is in what people download", {
  skip: SUBJECT === "source" && "only for what is built",
}, async () => {
  const path = programCommand().at(-1) ?? "";
  const bytes = await readFile(path);
  assert.equal(bytes.indexOf(ROOT), -1);
  for (const name of [`${homedir()}/`, "sk-made-up", "BEGIN PRIVATE KEY"]) {
    if (SUBJECT === "bundle") assert.equal(bytes.indexOf(name), -1, name);
  }
});
