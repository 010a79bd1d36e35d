/**
 * A complete sign-in without an account and without a network: an issuer of our own on loopback, the real program, a
 * CODEX_HOME of its own. With a display a browser opens and you click; without one, or with `--auto`, the pages are walked
 * for you. `--program PATH` signs in with another build, for instance dist/codex-login.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { maskKey } from "../src/printable.ts";
import { get, location } from "../tests/testing/http_client.ts";
import { createHome } from "../tests/testing/home.ts";
import { startIssuer } from "../tests/testing/issuer.ts";
import { ADA, BOB } from "../tests/testing/users.ts";

const { values } = parseArgs({
  options: { auto: { type: "boolean", default: false }, program: { type: "string" } },
});
const hasDisplay = process.platform === "darwin" || process.platform === "win32" ||
  Boolean(process.env["DISPLAY"] || process.env["WAYLAND_DISPLAY"]);
const isAutomatic = values.auto || !hasDisplay;
const program = values.program
  ? [values.program]
  : [process.execPath, "run", "--quiet", "-P=login", "src/main.ts"];

await using issuer = await startIssuer({ users: [ADA, BOB], hasPages: true });
await using home = await createHome();
say(`An issuer of our own runs at ${issuer.url}; CODEX_HOME is ${home.path}.`);

const opening = isAutomatic ? ["--no-browser"] : [];
const exitCode = await run(
  ["login", "--issuer", issuer.url, "--port", "0", ...opening],
  async (line) => {
    if (isAutomatic && line.startsWith(`${issuer.url}/oauth/authorize?`)) await walk(line);
  },
);
if (exitCode === 0) {
  say(`\nWhat was stored in ${home.authPath}, secrets masked:`);
  say(maskSecrets(await readFile(home.authPath, "utf8")));
  await run(["status"]);
}
process.exitCode = exitCode;

/** What a person would do in the browser: open the page, choose somebody, and arrive at our last page. */
async function walk(authUrl: string): Promise<void> {
  const signIn = await get(authUrl);
  const [, label = ""] = /<button name="as" value="user-ada">([^<]+)/.exec(signIn.body) ?? [];
  say(`  (demo) the issuer's page shows "${label}": pressing it`);
  const callback = location(await get(`${authUrl}&as=user-ada`));
  const { status, headers } = await get(callback);
  say(`  (demo) back at codex-login: ${status}, then ${headers["location"]}`);
  const page = await get(new URL(String(headers["location"]), callback).href);
  say(`  (demo) the last page says "${/<h1>([^<]+)/.exec(page.body)?.[1]}"`);
}

function run(
  parameters: readonly string[],
  onLine: (line: string) => Promise<void> | void = () => {},
): Promise<number> {
  say(`\n$ codex-login ${parameters.join(" ")}`);
  const [command = "", ...before] = program;
  const child = spawn(command, [...before, ...parameters], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, CODEX_HOME: home.path },
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    say(`  ${line}`);
    Promise.resolve(onLine(line)).catch((thrown) => say(`  (demo) ${thrown}`));
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function maskSecrets(text: string): string {
  return text.replace(
    /"(OPENAI_API_KEY|id_token|access_token|refresh_token|login_owner_id)": "([^"]+)"/g,
    (_, name, secret) => `"${name}": "${maskKey(secret)}"`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
