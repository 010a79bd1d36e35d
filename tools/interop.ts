/**
 * The tests with Codex CLI itself as the peer: installs it beside the project, never into it, and runs
 * `tests/interop/` against it. The last line is `N passed, N failed`. `CODEX_REFERENCE` names one that is there already.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { bunPath } from "./bun_path.ts";

const VERSION = "0.169.0";
const given = process.env["CODEX_REFERENCE"];
const reference = given ?? install();

run(process.execPath, ["run", "-A", "build.ts"]);
const files = readdirSync("tests/interop").filter((name) => name.endsWith(".interop.ts"));
const { status, stderr } = spawnSync(
  bunPath(),
  ["test", "--timeout=120000", ...files.map((name) => `./tests/interop/${name}`)],
  {
    encoding: "utf8",
    env: { ...process.env, CODEX_REFERENCE: reference, CODEX_LOGIN_SUBJECT: "executable" },
  },
);
process.stdout.write(stderr);
const count = (what: string): number =>
  Number(new RegExp(`^ *(\\d+) ${what}$`, "m").exec(stderr)?.[1] ?? 0);
const failed = count("fail") + (status === 0 || count("fail") > 0 ? 0 : 1);
process.stdout.write(`${count("pass")} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

/** Its scripts are not run: they are not needed, and it is a stranger. */
function install(): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "codex-login-interop", VERSION);
  const found = findProgram(folder);
  if (found) return found;
  mkdirSync(folder, { recursive: true });
  run("npm", [
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `@openai/codex@${VERSION}`,
  ]);
  const installed = findProgram(folder);
  if (!installed) throw new Error(`@openai/codex@${VERSION} holds no program for this machine`);
  return installed;
}

function findProgram(folder: string): string | undefined {
  const scope = join(folder, "node_modules", "@openai");
  if (!existsSync(scope)) return undefined;
  return readdirSync(scope, { recursive: true, encoding: "utf8" })
    .filter((name) => /vendor[/\\][^/\\]+[/\\]bin[/\\]codex(\.exe)?$/.test(name))
    .map((name) => join(scope, name))[0];
}

function run(program: string, parameters: readonly string[]): void {
  const { status } = spawnSync(program, parameters, { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
