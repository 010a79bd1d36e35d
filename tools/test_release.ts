/**
 * Builds the executables of a release and judges them: by their headers and signatures, against a second build, and, where this
 * machine can start them, by a whole sign-in each. Then the archives are made, and one is installed and signed in with, without a
 * network. The last line is `N passed, N failed`; what could not be tried is named with the reason.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingTool } from "../tests/testing/tools.ts";
import { REFERENCE_SIZE } from "./reference.ts";
import { checkExecutable } from "./release/check_executable.ts";
import { readAddon } from "./release/parts.ts";
import { type Start, startOf, stopWine } from "./release/start_elsewhere.ts";
import { executablePath, findTarget, type Target, TARGETS } from "./release/targets.ts";

const GOAL = { packed: 0.45, program: 0.40 };

interface Step {
  readonly name: string;
  /** Throws what is wrong; gives what is worth telling. */
  readonly run: () => string | undefined;
  readonly skip?: string;
}

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const folder = mkdtempSync(join(tmpdir(), "codex-login-release-"));
let before = new Map<string, string>();

let failed = 0;
let passed = 0;
const skipped: string[] = [];
runSteps([
  { name: "all executables are built", run: () => deno("build.ts", "--all") },
  ...TARGETS.map((target) => ({
    name: `${target.name} is what its name says`,
    run: () =>
      checkExecutable(readFileSync(executablePath(target)), target, {
        version,
        addon: readAddon(target),
      }),
  })),
  { name: "a second build gives the same bytes", run: buildAgain },
  ...TARGETS.flatMap(startAndSignIn),
  startOnOldProcessor(),
  { name: "archives are made of them", run: () => deno("tools/release.ts") },
  { name: "a release is installed and signed in with, without a network", run: install },
  { name: "they are as small as they shall be", run: compareSizes },
]);
stopWine(folder);
rmSync(folder, { recursive: true, force: true });
say(`\n${describeSizes()}`);
for (const line of skipped) say(`skipped: ${line}`);
say(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function runSteps(steps: readonly Step[]): void {
  for (const { name, run, skip } of steps) {
    if (skip !== undefined) {
      skipped.push(`${name}: ${skip}`);
      continue;
    }
    const started = performance.now();
    const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
    try {
      const told = run();
      passed += 1;
      say(`ok      ${name} (${seconds()})${told ? `\n${told.replace(/^/gm, "        ")}` : ""}`);
    } catch (thrown) {
      failed += 1;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      say(`FAILED  ${name} (${seconds()})\n${message.replace(/^/gm, "        ")}`);
    }
  }
}

function buildAgain(): string {
  before = hashes();
  deno("build.ts", "--all");
  for (const [path, hash] of hashes()) {
    if (before.get(path) !== hash) throw new Error(`${path} is another file`);
  }
  return `${before.size} files`;
}

function hashes(): Map<string, string> {
  return new Map(TARGETS.map((target) => {
    const path = executablePath(target);
    return [path, createHash("sha256").update(readFileSync(path)).digest("hex")];
  }));
}

/** `version` tells the machine that it runs on. */
function startAndSignIn(target: Target): Step[] {
  const start: Start = startOf(target, folder);
  const name = `${target.name} starts, and signs in`;
  if ("skip" in start) return [{ name, run: () => undefined, skip: start.skip }];
  const platform = target.name.startsWith("windows") ? "win32" : "linux";
  const run = (): string => {
    const told = JSON.parse(command(start.program, ["version", "--json"]));
    const found = [told.version, told.platform, told.arch].join(" ");
    const expected = [version, platform, target.architecture].join(" ");
    if (found !== expected) throw new Error(`it says ${found}, and not ${expected}`);
    const output = deno("tools/demo.ts", "--auto", "--program", start.program);
    const [line] = /^ *Signed in .*$/m.exec(output) ?? [];
    if (!line) throw new Error(output);
    return `by ${start.by}: ${line.trim()}`;
  };
  return [{ name, run }];
}

/** Intel's Nehalem, of 2008, is what Bun asks for at least: it has no AVX. */
function startOnOldProcessor(): Step {
  const emulator = "qemu-x86_64-static";
  const missing = missingTool(emulator, "--version");
  const path = executablePath(findTarget("linux-x64"));
  return {
    name: "linux-x64 starts on a processor without AVX",
    run: () => command(emulator, ["-cpu", "Nehalem", path, "--version"]),
    ...(missing ? { skip: missing } : {}),
  };
}

function install(): string {
  const isolated = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const canIsolate = spawnSync(isolated[0] ?? "", [...isolated.slice(1), "true"]).status === 0;
  const tried = [process.execPath, "run", "-A", "--no-check", "tools/release/try_install.ts"];
  const [program = "", ...parameters] = canIsolate ? [...isolated, ...tried] : tried;
  command(program, parameters);
  return canIsolate ? "in a network of its own" : "on loopback";
}

function compareSizes(): string {
  const [found] = readArchives().filter((one) => one.name === "linux-x64");
  if (!found) throw new Error("dist/release/release.json has no linux-x64");
  const packed = found.packed / REFERENCE_SIZE.packed;
  const program = found.program / REFERENCE_SIZE.program;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  if (packed > GOAL.packed || program > GOAL.program) {
    throw new Error(`linux-x64 is ${percent(packed)} and ${percent(program)} of the reference's`);
  }
  return `linux-x64: ${percent(packed)} of the reference's package, ${
    percent(program)
  } of its program`;
}

interface Size {
  readonly name: string;
  readonly packed: number;
  readonly program: number;
}

function readArchives(): Size[] {
  const { targets } = JSON.parse(readFileSync("dist/release/release.json", "utf8"));
  return targets.map((one: { name: string; size: number; executable: { size: number } }) => ({
    name: one.name,
    packed: one.size,
    program: one.executable.size,
  }));
}

function describeSizes(): string {
  try {
    const megabytes = (size: number): string => (size / 1e6).toFixed(1).padStart(8);
    const rows = readArchives().map(({ name, packed, program }) =>
      `${name.padEnd(18)}${megabytes(packed)}${megabytes(program)}`
    );
    return ["target              packed program (MB)", ...rows].join("\n");
  } catch {
    return "no archives, no sizes";
  }
}

function deno(...parameters: readonly string[]): string {
  return command(process.execPath, ["run", "-A", "--no-check", ...parameters]);
}

/** What a program says; throws it where the program fails. */
function command(program: string, parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status === 0) return stdout.trimEnd();
  throw new Error(`${program} ${parameters.join(" ")}: ${error ?? `${stdout}${stderr}`}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
