/**
 * How long things take and how much memory they need, as whole processes: `npm run bench [-- RUNS]`. Medians of interleaved
 * runs; the floor is an empty program compiled in the same way. Nothing here fails: speed is measured, not tested.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunPath } from "./bun_path.ts";

const runs = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(join(tmpdir(), "codex-login-bench-"));
const floor = join(folder, "floor");
writeFileSync(join(folder, "floor.ts"), "");
spawnSync(process.execPath, ["run", "-A", "build.ts"], { stdio: "inherit" });
spawnSync(bunPath(), [
  "build",
  "--compile",
  "--minify",
  "--bytecode",
  "--format=esm",
  join(folder, "floor.ts"),
  `--outfile=${floor}`,
]);

const programs: Record<string, readonly string[]> = {
  executable: ["dist/codex-login"],
  "Bun, sources": [bunPath(), "src/main.ts"],
  "Deno, sources": [process.execPath, "run", "--quiet", "-P=login", "src/main.ts"],
  "Node, bundle": ["node", "dist/cli.js"],
};
const jobs: { name: string; command: readonly string[]; until?: RegExp }[] = [{
  name: "floor",
  command: [floor],
}];
for (const [name, command] of Object.entries(programs)) {
  jobs.push({ name: `${name}: --version`, command: [...command, "--version"] });
  jobs.push({ name: `${name}: status`, command: [...command, "status"] });
  jobs.push({
    name: `${name}: login, to the address`,
    command: [...command, "login", "--no-browser", "--port", "0"],
    until: /^https:/m,
  });
}

const times = new Map(jobs.map(({ name }) => [name, [] as number[]]));
for (let i = 0; i <= runs; i++) {
  for (const job of jobs) {
    const ms = await measure(job.command, job.until);
    // The first round warms the file cache.
    if (i > 0) times.get(job.name)?.push(ms);
  }
}
process.stdout.write(`\nmedian (quartiles) of ${runs} runs, ms\n`);
for (const [name, all] of times) {
  const sorted = all.sort((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  process.stdout.write(`${at(0.5).padStart(8)} (${at(0.25)}–${at(0.75)})  ${name}\n`);
}
rmSync(folder, { recursive: true });

/** Until the process ends, or until it shows what is waited for: then it is ended. */
function measure(
  [program = "", ...parameters]: readonly string[],
  until?: RegExp,
): Promise<number> {
  const started = performance.now();
  const child = spawn(program, parameters, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], CODEX_HOME: join(folder, "home") },
  });
  return new Promise((resolve) => {
    let shown = "";
    let took = 0;
    child.stderr.on("data", (chunk) => {
      shown += chunk;
      if (took > 0 || !until?.test(shown)) return;
      took = performance.now() - started;
      child.kill("SIGTERM");
    });
    child.once("close", () => resolve(took || performance.now() - started));
  });
}
