/**
 * What a start of the program may take of what does not depend on a clock. Whoever goes over a bound has to say why it is worth
 * it, here; how long things take is measured by `npm run bench` and nowhere else.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bunPath } from "../tools/bun_path.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { loadedWith } from "./testing/loaded_modules.ts";
import { ROOT, runProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { missingTool } from "./testing/tools.ts";

const ONCE = { skip: SUBJECT !== "source" && "of the sources" };
const TRACED = {
  timeout: 60_000,
  skip: SUBJECT !== "executable" ? "of the executable" : missingTool("strace", "-V"),
};

/** In the order in which an executable loads them. */
const START = ["main.ts", "runtime/bun.ts", "program.ts", "cli.ts"];
const STATUS = [
  ...START,
  ...["config.ts", "runtime/file_reading.ts", "runtime/bun_file_reading.ts"],
  "commands/status.ts",
];
/** Until the port of a sign-in with the browser is taken. */
const PORT = [...STATUS.slice(0, -1), "commands/login.ts"];

test("--version loads next to nothing", ONCE, () => {
  const { own, packages, builtIn } = loadedWith(START.slice(0, 2));
  assert.ok(own.length <= 12, own.join(" "));
  assert.deepEqual([packages, builtIn], [[], []]);
});

test("status loads no module of the runtime's own, each of which takes 1 to 6 MiB", ONCE, () => {
  const { own, packages, builtIn } = loadedWith(STATUS);
  assert.ok(own.length <= 65, `${own.length}: ${own.join(" ")}`);
  assert.deepEqual(packages, ["valibot"]);
  assert.deepEqual(builtIn, []);
});

test("nothing heavy is loaded before a sign-in has its port", ONCE, () => {
  const { own, packages, builtIn } = loadedWith(PORT);
  assert.ok(own.length <= 55, `${own.length}: ${own.join(" ")}`);
  assert.deepEqual([packages, builtIn], [[], []]);
});

test("a sign-in with the browser loads what it uses, and no way out before it waits", ONCE, () => {
  const { own, packages, builtIn } = loadedWith([...PORT, "commands/browser_login.ts"]);
  assert.ok(own.length <= 165, `${own.length}: ${own.join(" ")}`);
  assert.deepEqual(packages, ["hono", "valibot"]);
  for (const name of ["http", "https", "tls", "dns/promises", "zlib"]) {
    assert.ok(!builtIn.includes(name), builtIn.join(" "));
  }
});

test("what people download is no larger than it was", {
  skip: !["executable", "bundle"].includes(SUBJECT) && "of what was built",
}, async () => {
  const sizeOf = async (path: string): Promise<number> => (await stat(join(ROOT, path))).size;
  const rows: [file: string, most: number][] = SUBJECT === "bundle"
    ? [["dist/cli.js", 480_000], ["dist/mcp_sdk.js", 300_000], ["dist/mod.js", 375_000]]
    // Beside the runtime it is made of: the program, its bytecode, and the keyring's native code.
    : [["dist/codex-login", (await stat(bunPath())).size + 10_300_000]];
  for (const [file, most] of rows) {
    const size = await sizeOf(file);
    assert.ok(size <= most, `${file} has ${size} bytes, more than ${most}`);
  }
});

test("as many packages are shipped as before", {
  skip: SUBJECT !== "executable" && "of the executable",
}, async () => {
  const materials = JSON.parse(await readFile(join(ROOT, "dist/codex-login.cdx.json"), "utf8"));
  const names = materials.components.map(({ name }: { name: string }) => name);
  assert.ok(names.length <= 18, names.join(" "));
});

/**
 * What strace saw: every path of ours that was looked at, in order, and how many calls there were, without those in which
 * threads wait for each other.
 */
function readTrace(text: string, home: string): { looked: string[]; calls: number } {
  const calls = text.split("\n").filter((line) => /^\d+ +(?!futex|sched_yield)\w+\(/.test(line));
  const paths = calls.filter((line) => !/^\d+ +(?:execve|getcwd)\(/.test(line)).flatMap((line) =>
    [...line.matchAll(/"((?:\/etc\/codex|\/[^"]*codex-login-test-)[^"]*)"/g)].map(([, path = ""]) =>
      path.replace(home, "HOME")
    )
  );
  return { looked: paths, calls: calls.length };
}

const EVERY_TIME = [
  "HOME",
  "/etc/codex/config.toml",
  "HOME/config.toml",
  "/etc/codex/managed_config.toml",
  "/etc/codex/requirements.toml",
];

test("a status looks at each file once, and makes few calls", TRACED, async () => {
  await using issuer = await startIssuer();
  for (const isSignedIn of [false, true]) {
    await using home = await createHome();
    if (isSignedIn) await storeLogin(home, issuer, 3_600);
    await using place = await createHome();
    const trace = join(place.path, "trace");
    const wrapper = ["strace", "-f", "-qq", "-s", "300", "-o", trace];
    const { exitCode } = await runProgram(home, ["status"], { wrapper });
    assert.equal(exitCode, isSignedIn ? 0 : 1);
    const { looked, calls } = readTrace(await readFile(trace, "utf8"), home.path);
    // A file that is there is looked at before and after it is read. One that is not is looked for again after the sign that it
    // is only away.
    const own = isSignedIn
      ? ["HOME/auth.json", "HOME/auth.json", "HOME/auth.json"]
      : ["HOME/auth.json", "HOME/profiles/.exchange.json", "HOME/auth.json"];
    assert.deepEqual(looked, [...EVERY_TIME, ...own]);
    // It makes 312 on two cores; with more there are more threads.
    assert.ok(calls <= 450, `${calls} calls`);
  }
});

test("a setting is read once, and --version reads nothing", TRACED, async () => {
  await using home = await createHome();
  await using place = await createHome();
  await writeFile(join(home.path, "config.toml"), 'cli_auth_credentials_store = "file"\n');
  await mkdir(join(home.path, "log"));
  const trace = join(place.path, "trace");
  const wrapper = ["strace", "-f", "-qq", "-s", "300", "-o", trace];
  await runProgram(home, ["status"], { wrapper });
  const status = readTrace(await readFile(trace, "utf8"), home.path);
  assert.equal(status.looked.filter((path) => path === "HOME/config.toml").length, 3);
  await runProgram(home, ["--version"], { wrapper });
  const version = readTrace(await readFile(trace, "utf8"), home.path);
  assert.deepEqual(version.looked, []);
  assert.ok(version.calls <= 300, `${version.calls} calls`);
});
