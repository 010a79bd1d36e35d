import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bunPath } from "../tools/bun_path.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { installTarball, npmCommand, packTarball } from "./testing/npm_tarball.ts";
import { programEnvironment, ROOT, SUBJECT } from "./testing/program.ts";

const SOURCE_ONLY = SUBJECT === "source" ? false : "the library is the same";
const tarball = SOURCE_ONLY ? "" : packTarball();

/** Says what of the process an import has changed, or started. */
const WATCH = `
const look = () => JSON.stringify({
  env: Object.entries(process.env).sort(),
  cwd: process.cwd(),
  exitCode: process.exitCode,
  listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  active: (process.getActiveResourcesInfo?.() ?? []).filter((one) => /Timeout|Immediate|Server|TCP/.test(one)),
  globals: Object.getOwnPropertyNames(globalThis).sort(),
});
const started = [];
for (const name of ["setTimeout", "setInterval", "setImmediate", "fetch"]) {
  const own = globalThis[name];
  globalThis[name] = (...args) => (started.push(name), own(...args));
}
const before = look();
const library = await import(process.argv[2]);
console.log(JSON.stringify({ isSame: look() === before, started, names: Object.keys(library) }));
`;

test("an import has no effects, on any runtime", { skip: SOURCE_ONLY }, async () => {
  await using home = await createHome();
  await using tools = await createHome();
  const script = join(tools.path, "watch.mjs");
  await writeFile(script, WATCH);
  const [dist, source] = [join(ROOT, "dist/mod.js"), join(ROOT, "src/mod.ts")];
  const deno = [join(ROOT, "node_modules/.bin/deno"), "run", "-A", "--quiet", "--no-check"];
  const runs = [
    ["node", script, dist],
    [bunPath(), script, dist],
    [bunPath(), script, source],
    [...deno, script, dist],
    [...deno, "--config", join(ROOT, "deno.json"), script, source],
  ];
  for (const [command = "", ...args] of runs) {
    const { stdout, stderr, status } = spawnSync(command, args, {
      cwd: home.path,
      env: programEnvironment(home),
      encoding: "utf8",
      timeout: 30_000,
    });
    // It ended by itself, so nothing of it goes on.
    assert.equal(status, 0, stderr);
    assert.equal(stderr, "");
    const { isSame, started, names } = JSON.parse(stdout);
    assert.deepEqual([isSame, started], [true, []], command);
    assert.deepEqual(names.sort(), [
      "LoginError",
      "createCallbackApp",
      "createMemoryStore",
      "getAccessToken",
      "logout",
      "startBrowserLogin",
      "startDeviceLogin",
      "status",
    ]);
    assert.deepEqual(await home.list(), []);
  }
});

/** Uses everything that is exported, each type as it is meant. */
const CONSUMER = `
import { Hono } from "hono";
import {
  type AccessToken, type Account, type AuthMode, type BrowserLogin, type BrowserLoginOptions,
  type CallbackAppOptions, type CallbackLogin, type CommonOptions, createCallbackApp, createMemoryStore,
  type DeviceLogin, type ErrorCode, type ForeignFetch, getAccessToken, type HostIdentity, type HostStore,
  LoginError, type LoginHandle, type LoginResult, logout, type LogoutOutcome, type SignInOptions,
  startBrowserLogin, startDeviceLogin, type Status, status,
} from "codex-login";

const ending = new AbortController();
const originator: HostIdentity = { name: "Editor", version: "1" };
const store: HostStore = createMemoryStore();
const own: HostStore = {
  read: async () => undefined,
  write: async (text: string) => void text,
  remove: async () => {},
};
const fetching: ForeignFetch = (url, init) => fetch(url, init);
const common: CommonOptions = {
  codexHome: "/home", store, originator, fetch, signal: ending.signal,
  env: { PATH: "/bin", HOME: undefined }, onNote: (note) => note.length,
  settings: { forced_login_method: "chatgpt", list: ["a"], flag: true, number: 1 },
};
const signIn: SignInOptions = {
  ...common, store: own, fetch: fetching, issuer: "https://issuer.test", clientId: undefined,
  expectedWorkspaceIds: ["a"], timeoutMs: 0,
};
const browserOptions: BrowserLoginOptions = { ...signIn, port: 0, redirectHost: "localhost", openBrowser: true };
const browser: BrowserLogin = await startBrowserLogin(browserOptions);
const device: DeviceLogin = await startDeviceLogin({ ...signIn, store: "keyring" });
const handles: LoginHandle[] = [browser, device];
const texts: string[] = [browser.authUrl, device.verificationUrl, device.userCode, device.expiresAt];
const port: number = browser.port;
const callback: CallbackAppOptions = { ...signIn, redirectUri: "http://127.0.0.1:1/auth/callback" };
const mounted: CallbackLogin = await createCallbackApp(callback);
const host = new Hono<{ Variables: { user: string } }>();
host.route("/", mounted.app);
for (const { cancel } of handles) cancel();
try {
  const result: LoginResult = await mounted.done;
  const account: Account = result.account;
  const email: string | null = account.email;
  const place: "file" | "keyring" | "host" = result.store;
  texts.push(String(email), place, String(result.path), String(result.onboardingEntrypoint));
} catch (thrown) {
  if (!(thrown instanceof LoginError)) throw thrown;
  const code: ErrorCode = thrown.code;
  const numbers: number = thrown.exitCode + thrown.kind.page;
  texts.push(code, thrown.hint, thrown.reason ?? "", String(numbers));
  if (code === "CANCELED") throw new LoginError("CANCELED", "too", { reason: "so" });
  // @ts-expect-error there is no such code
  if (code === "NO_SUCH_CODE") texts.push("never");
}
const token: AccessToken = await getAccessToken({ minTtlMs: 60_000, refused: "old" });
const mode: AuthMode = token.authMode;
const secret: string = token.token;
const until: string | null = token.expiresAt;
const found: Status = await status(common);
const outcome: LogoutOutcome = await logout({ localOnly: true });
texts.push(mode, secret, String(until), String(found.account?.plan), outcome.local, outcome.revocation.kind);
// @ts-expect-error there is no such option
await startBrowserLogin({ expectedWorkspaceID: ["a"] });
// @ts-expect-error the address is needed
await createCallbackApp({});
export { port, texts };
`;

/** A program of somebody else's with the package in its node_modules, and hono. */
async function createConsumer(home: TestHome): Promise<void> {
  await installTarball(home, tarball);
  for (const name of ["hono", "@types"]) {
    await symlink(join(ROOT, "node_modules", name), join(home.path, "node_modules", name), "dir");
  }
  await writeFile(join(home.path, "program.ts"), CONSUMER);
}

test(
  "a program in TypeScript can use all of it, with its own settings",
  { skip: SOURCE_ONLY },
  async () => {
    await using home = await createHome();
    await createConsumer(home);
    const settings = [
      "--module nodenext --target es2022 --lib es2022,dom,dom.iterable --typeRoots none",
      "--module esnext --moduleResolution bundler --target es2023 --lib es2023 --types node",
    ];
    for (const setting of settings) {
      const args = `program.ts --noEmit --strict --exactOptionalPropertyTypes ${setting}`;
      const { stdout, status } = spawnSync(
        bunPath(),
        [join(ROOT, "node_modules/typescript/bin/tsc"), ...args.split(" ")],
        { cwd: home.path, encoding: "utf8" },
      );
      assert.equal(stdout, "");
      assert.equal(status, 0);
    }
  },
);

test(
  "the package has what it names, and its declarations name nothing else",
  { skip: SOURCE_ONLY },
  async () => {
    const { files, exports, types, bin } = JSON.parse(
      await readFile(join(ROOT, "package.json"), "utf8"),
    );
    const [command = "", ...args] = npmCommand("npm");
    const packed = JSON.parse(
      execFileSync(command, [...args, "pack", "--dry-run", "--json", "--ignore-scripts"], {
        cwd: ROOT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    )[0].files.map(({ path }: { path: string }) => path) as string[];
    for (const path of [exports["."].types, exports["."].default, types, ...Object.values(bin)]) {
      assert.ok(packed.includes(String(path).replace("./", "")), String(path));
    }
    assert.ok(packed.includes("schemas/login_events.schema.json"));
    assert.equal(packed.some((path) => /^(src|tests|tools)\//.test(path)), false);
    assert.ok(files.includes("schemas"));
    const declared = (await readdir(join(ROOT, "dist/types"), { recursive: true }))
      .filter((name) => name.endsWith(".d.ts"));
    for (const name of declared) {
      const text = await readFile(join(ROOT, "dist/types", name), "utf8");
      const code = text.replace(/\/\*[^]*?\*\//g, "");
      const foreign = [...code.matchAll(/(?:from|import\()\s*"([^."][^"]*)"/g)].map(([, one]) =>
        one
      );
      assert.deepEqual(foreign, name === "mod.d.ts" ? ["hono"] : [], name);
    }
  },
);
