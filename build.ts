/**
 * Builds what people get: `dist/codex-login`, an executable for this machine with everything in it, and
 * `dist/codex-login.mjs`, the one file of the npm package. `--bundle-only` leaves the executable out.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import { bunPath } from "./tools/bun_path.ts";

const DIST = "dist";
const ENTRY = "src/main.ts";

/** The executable reads nothing from the folder it is started in: no .env, no bunfig.toml, no package.json. */
const SEALED = [
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

mkdirSync(DIST, { recursive: true });
const bundle = `${DIST}/codex-login.mjs`;
build("bundle for Node, Bun and Deno", bundle, [
  "--target=node",
  "--minify-syntax",
  "--minify-whitespace",
  "--banner=#!/usr/bin/env node",
]);
chmodSync(bundle, 0o755);

if (!process.argv.includes("--bundle-only")) {
  const suffix = process.platform === "win32" ? ".exe" : "";
  build("executable for this machine", `${DIST}/codex-login${suffix}`, [
    "--compile",
    // What a command does not need is not even loaded: start-up is paid at every call.
    "--splitting",
    "--minify",
    "--bytecode",
    "--format=esm",
    ...SEALED,
  ]);
}

function build(what: string, file: string, options: readonly string[]): void {
  const started = performance.now();
  rmSync(file, { force: true });
  const { status, stderr, stdout } = spawnSync(
    bunPath(),
    ["build", ENTRY, `--outfile=${file}`, ...options],
    { encoding: "utf8" },
  );
  if (status !== 0) {
    report(`${stdout}${stderr}`);
    process.exit(1);
  }
  const megabytes = (statSync(file).size / 1e6).toFixed(1);
  report(`${file}: ${what}, ${megabytes} MB, ${Math.round(performance.now() - started)} ms`);
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
