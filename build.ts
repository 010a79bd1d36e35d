/**
 * Builds what people get: `dist/codex-login`, an executable for this machine with everything in it; and of the npm package
 * `dist/cli.js`, the program, with `dist/mcp_sdk.js`, which it loads for its MCP server, `dist/mod.js`, the library,
 * and `dist/types`, its declarations; and `dist/codex-login.cdx.json`, the bill of materials of all that. `--all` also makes
 * the executables of a release, `dist/targets/NAME/codex-login`, `--target NAME` one of them, and `--bundle-only` leaves
 * executables out. Where DENORT_BIN names Deno's runtime, `dist/codex-login-deno` is made with it.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { describeMaterials, packagesOf } from "./tools/bill_of_materials.ts";
import { BUNDLED_PACKAGES, collectLicences, EXECUTABLE_PACKAGES } from "./src/licence_sources.ts";
import { bunPath } from "./tools/bun_path.ts";
import { compileByDeno } from "./tools/release/deno_executable.ts";
import { finishExecutable } from "./tools/release/finish_executable.ts";
import { partsOf } from "./tools/release/parts.ts";
import { recordBytecodeOrder } from "./tools/release/bytecode_order.ts";
import { executablePath, findTarget, type Target, TARGETS } from "./tools/release/targets.ts";

const DIST = "dist";
const ENTRY = "src/main.ts";
const LIBRARY = "src/mod.ts";
const TYPES = `${DIST}/types`;

/** The executable reads nothing from the folder it is started in: no .env, no bunfig.toml, no package.json. */
const SEALED = [
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/** In a file of its own: read at every start it would make all commands slower, and its bytecode is four times as big. */
const MCP_SDK = `${DIST}/mcp_sdk.js`;
const MCP_SDK_FILE = `--define=MCP_SDK=${JSON.stringify(`../${MCP_SDK}`)}`;

const KEYRING = "@napi-rs/keyring";

const { values: asked } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    target: { type: "string" },
    "bundle-only": { type: "boolean", default: false },
  },
});
const targets = asked.all ? TARGETS : asked.target ? [findTarget(asked.target)] : [];

/** What got into any of the builds; Bun itself is what runs the executable. */
const materials = new Set(["bun"]);

mkdirSync(DIST, { recursive: true });
/** Files of their own too: they are read when somebody asks, and by nobody else. */
const LICENCES = writeLicences("licenses.txt", BUNDLED_PACKAGES);
const ALL_LICENCES = writeLicences("licenses_executable.txt.gz", [
  ...BUNDLED_PACKAGES,
  ...EXECUTABLE_PACKAGES,
]);
const COMMIT = `--define=CODEX_LOGIN_COMMIT=${JSON.stringify(readCommit())}`;
build("SDK of the MCP server", "src/mcp_sdk.ts", MCP_SDK, [
  "--target=node",
  "--minify",
  // The SDK's smaller judge of JSON schemas, and none of the process's own streams.
  "--conditions=browser",
]);
const program = `${DIST}/cli.js`;
build("bundle for Node, Bun and Deno", ENTRY, program, [
  "--target=node",
  "--minify",
  "--banner=#!/usr/bin/env node",
  // Native code, for those who have it beside the bundle.
  `--external=${KEYRING}`,
  MCP_SDK_FILE,
  LICENCES,
  COMMIT,
  "--asset-naming=[name].[ext]",
]);
chmodSync(program, 0o755);
// Names are kept: it is read in the stack traces of other programs.
build("library", LIBRARY, `${DIST}/mod.js`, [
  "--target=node",
  "--minify-syntax",
  "--minify-whitespace",
]);
declareTypes();

const isCompiled = !asked["bundle-only"] || targets.length > 0;
const order = isCompiled ? recordOrder() : undefined;
try {
  if (!asked["bundle-only"]) {
    const suffix = process.platform === "win32" ? ".exe" : "";
    const started = performance.now();
    const file = `${DIST}/codex-login${suffix}`;
    compile(file, keyringAddon(), laidOut());
    reportBuilt("executable for this machine", file, started);
    const note = compileByDeno(`${DIST}/codex-login-deno${suffix}`);
    if (asked.all || process.env["DENORT_BIN"]) report(note);
  }
  for (const target of targets) buildTarget(target);
} finally {
  if (order) rmSync(order.folder, { recursive: true, force: true });
}

const known = new Set([...BUNDLED_PACKAGES, ...EXECUTABLE_PACKAGES]);
const unknown = [...materials].filter((one) => !known.has(one) && !one.startsWith(`${KEYRING}-`));
if (unknown.length > 0) {
  report(`src/licence_sources.ts does not list what got into a build: ${unknown.join(", ")}`);
  process.exit(1);
}
const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8"));
writeFileSync(
  `${DIST}/codex-login.cdx.json`,
  describeMaterials({ name, version, license }, [...materials, KEYRING]),
);

/** Writes what these packages ask to be told, and gives the option that says where it is. */
function writeLicences(name: string, packages: readonly string[]): string {
  const text = collectLicences(packages);
  writeFileSync(join(DIST, name), name.endsWith(".gz") ? gzipSync(text, { level: 9 }) : text);
  return `--define=LICENCES_FILE=${JSON.stringify(`../${DIST}/${name}`)}`;
}

/** The commit of the clone, marked where it was changed since; "unknown" where there is none. */
function readCommit(): string {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  // A repository around this folder is somebody else's.
  const top = git("rev-parse", "--show-toplevel");
  if (top === undefined || realpathSync(top) !== realpathSync(".")) return "unknown";
  const commit = git("rev-parse", "HEAD");
  if (commit === undefined) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}-dirty`;
}

/** Of an executable that is made only for that. What it finds is good for all platforms: they have the same bytecode. */
function recordOrder(): ReturnType<typeof recordBytecodeOrder> {
  const file = `${DIST}/recorded${process.platform === "win32" ? ".exe" : ""}`;
  compile(file, keyringAddon(), [], "tools/release/recorded_entry.ts");
  try {
    return recordBytecodeOrder(file);
  } finally {
    rmSync(file, { force: true });
  }
}

function laidOut(): string[] {
  return order ? [`--bytecode-order=${order.files.join(",")}`] : [];
}

/** An executable: with its runtime, its keyring and its own name. What it is then is judged before it is kept. */
function buildTarget(target: Target): void {
  const started = performance.now();
  const file = executablePath(target);
  rmSync(dirname(file), { recursive: true, force: true });
  const parts = partsOf(target);
  compile(file, parts.addon, [
    `--target=${target.bun}`,
    `--compile-executable-path=${parts.runtime}`,
    ...laidOut(),
  ]);
  materials.add(target.keyring);
  const found = finishExecutable(file, target, parts.addon);
  reportBuilt(found, file, started);
  // What is tested here is then what others get, byte by byte.
  if (keyringAddon().startsWith(`${target.keyring}/`)) {
    copyFileSync(file, join(DIST, basename(file)));
  }
}

/** @param addon the file itself: the package's own loader would look for it in folders, and start programs to find the C library. */
function compile(
  file: string,
  addon: string,
  options: readonly string[],
  entry: string = ENTRY,
): void {
  bundle(entry, file, [
    "--compile",
    ...options,
    // Commands that are over at once have no use for compiled code; servers ask for it (src/runtime/bun.ts).
    "--compile-jit-policy=20",
    // What a command does not need is not even loaded: start-up is paid at every call.
    "--splitting",
    "--minify",
    // The same for every machine: tried on arm64 and on Windows, where it is taken and not made anew.
    "--bytecode",
    "--format=esm",
    ...SEALED,
    `--define=KEYRING_ADDON=${JSON.stringify(addon)}`,
    MCP_SDK_FILE,
    ALL_LICENCES,
    COMMIT,
    "--define=globalThis.IS_CODEX_LOGIN_EXECUTABLE=true",
  ]);
}

/** The one that npm chose for this machine, its C library included. */
function keyringAddon(): string {
  const own = `${basename(KEYRING)}-${process.platform}-${process.arch}`;
  const folder = join("node_modules", dirname(KEYRING));
  for (const name of readdirSync(folder).filter((one) => one.startsWith(own))) {
    const addon = readdirSync(join(folder, name)).find((file) => file.endsWith(".node"));
    if (addon !== undefined) return `${dirname(KEYRING)}/${name}/${addon}`;
  }
  report(`${KEYRING} is not installed for this machine: npm ci`);
  process.exit(1);
}

function build(what: string, entry: string, file: string, options: readonly string[]): void {
  const started = performance.now();
  bundle(entry, file, options);
  reportBuilt(what, file, started);
}

function bundle(entry: string, file: string, options: readonly string[]): void {
  rmSync(file, { force: true });
  const into = options.includes("--compile")
    ? [`--outfile=${file}`]
    : [`--outdir=${dirname(file)}`, `--entry-naming=${basename(file)}`];
  const metafile = `${DIST}/${basename(file)}.meta.json`;
  run(["build", entry, ...into, ...options, `--metafile=${metafile}`]);
  for (const one of packagesOf(metafile)) materials.add(one);
  rmSync(metafile);
}

function reportBuilt(what: string, file: string, started: number): void {
  const megabytes = (statSync(file).size / 1e6).toFixed(1);
  report(`${file}: ${what}, ${megabytes} MB, ${Math.round(performance.now() - started)} ms`);
}

/** Of the library and what its types are made of; all else is nobody's business. */
function declareTypes(): void {
  const started = performance.now();
  rmSync(TYPES, { recursive: true, force: true });
  run([
    "node_modules/typescript/bin/tsc",
    LIBRARY,
    `--outDir ${TYPES} --rootDir src --declaration --emitDeclarationOnly --stripInternal`,
    // `deno check` has judged them, and knows what the platforms have.
    "--noCheck --strict --exactOptionalPropertyTypes --target es2023 --module nodenext --types node",
    "--allowImportingTsExtensions --rewriteRelativeImportExtensions",
  ].flatMap((words) => words.split(" ")));
  const needed = new Set<string>();
  const pending = [join(TYPES, "mod.d.ts")];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (needed.has(file)) continue;
    needed.add(file);
    const imported = readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
    for (const [, path = ""] of imported) {
      pending.push(join(dirname(file), path.replace(/\.[jt]s$/, ".d.ts")));
    }
  }
  for (const name of readdirSync(TYPES, { recursive: true }) as string[]) {
    const path = join(TYPES, name);
    if (name.endsWith(".d.ts") && !needed.has(path)) rmSync(path);
  }
  const ms = Math.round(performance.now() - started);
  report(`${TYPES}: declarations of the library, ${needed.size} files, ${ms} ms`);
}

/** Bun, with these arguments. */
function run(args: readonly string[]): void {
  const { status, stderr, stdout } = spawnSync(bunPath(), args, { encoding: "utf8" });
  if (status === 0) return;
  report(`${stdout}${stderr}`);
  process.exit(1);
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
