/**
 * What somebody does with a release: fetches install.sh from a server on loopback that has `dist/release/`, lets it install
 * into an empty home, signs in with what was installed at an issuer of our own, and uninstalls it. It needs no network but
 * loopback. `--release DIR` takes another folder. Exits 0 when all of that went well.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startReleaseServer } from "../../tests/testing/release_server.ts";

const { values } = parseArgs({
  options: { release: { type: "string", default: "dist/release" } },
});
const { version } = JSON.parse(readFileSync(join(values.release, "release.json"), "utf8")) as {
  version: string;
};

await using server = await startReleaseServer();
for (const name of readdirSync(values.release).filter(isForHere)) {
  const content = readFileSync(join(values.release, name));
  server.files.set(`/latest/download/${name}`, content);
  server.files.set(`/download/v${version}/${name}`, content);
}
const home = mkdtempSync(join(tmpdir(), "codex-login-install-"));
process.exitCode = await installAndSignIn();
rmSync(home, { recursive: true, force: true });

async function installAndSignIn(): Promise<number> {
  const script =
    `curl -fsS --noproxy '*' '${server.url}/latest/download/install.sh' | sh -s -- "$@"`;
  const piped = (...args: string[]): Promise<number> =>
    run("sh", ["-c", script, "sh", "--base-url", server.url, ...args]);
  const program = join(home, ".local/bin/codex-login");
  const demo = ["run", "-A", "--no-check", "tools/demo.ts", "--auto", "--program", program];
  for (
    const step of [
      (): Promise<number> => piped(),
      (): Promise<number> => run(program, ["--version"]),
      (): Promise<number> => run(process.execPath, demo),
      (): Promise<number> => piped("--uninstall"),
    ]
  ) {
    const status = await step();
    if (status !== 0) return status;
  }
  const left = readdirSync(join(home, ".local/bin"));
  if (left.length > 0) say(`left behind: ${left.join(", ")}`);
  return left.length;
}

/** With nothing of the person who runs this but where programs are. */
function run(command: string, args: readonly string[]): Promise<number> {
  say(`\n$ ${[command, ...args].join(" ")}`);
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, DENO_DIR: join(home, "deno") };
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Archives for other processors are as good as not there, and 50 MB each. */
function isForHere(name: string): boolean {
  const cpu = process.arch === "arm64" ? "aarch64" : "x86_64";
  return !/\.(tar\.gz|zip)$/.test(name) || name.includes(`-${cpu}-`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
