/**
 * How long things take and how much memory they need, as whole processes, beside the reference and beside an empty program:
 * `npm run bench [-- RUNS] [--quick] [--only NAME,…] [--install]`. Figures, tables and charts are left in `bench/results/`.
 * Sections: start, login, callback, token, app-server, device, flood, many, size, scale. `--install` times a fresh clone too.
 * Nothing here fails for being slow: speed is measured, not tested.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import type { InstallTime } from "./bench/bench.ts";
import { timeClone } from "./bench/clone_times.ts";
import type { Asked } from "./bench/run.ts";
import { bunPath } from "./bun_path.ts";
import { installReference, type Reference } from "./reference.ts";

const RUNS = 20;
const QUICK_RUNS = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    install: { type: "boolean", default: false },
  },
});
const runs = Number(positionals[0] ?? (values.quick ? QUICK_RUNS : RUNS));
if (!Number.isInteger(runs) || runs < 1) {
  say(`${positionals[0]} is no number of runs`);
  process.exit(2);
}
const reference = findReference();
if (run([process.execPath, "run", "-A", "build.ts"]) !== 0) process.exit(1);
const asked: Asked = {
  runs,
  only: values.only.split(",").filter(Boolean),
  ...(reference ? { reference } : {}),
  installSeconds: values.install ? timeInstall() : [],
};
process.exit(run([...isolation(), bunPath(), "tools/bench/run.ts", JSON.stringify(asked)]));

/** Without a network there is only what was installed before; the rest is measured all the same. */
function findReference(): Reference | undefined {
  try {
    return installReference();
  } catch (thrown) {
    say(`Codex CLI is not measured: ${thrown instanceof Error ? thrown.message : thrown}`);
    return undefined;
  }
}

function timeInstall(): InstallTime[] {
  try {
    return timeClone(process.cwd());
  } catch (thrown) {
    say(`A clone is not measured: ${thrown instanceof Error ? thrown.message : thrown}`);
    return [];
  }
}

/** A network of its own, where that can be had: nothing else has the port of a login, and nothing leads outside. */
function isolation(): string[] {
  const words = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  return spawnSync(words[0] ?? "", [...words.slice(1), "true"]).status === 0 ? words : [];
}

function run([program = "", ...parameters]: readonly string[]): number {
  return spawnSync(program, parameters, { stdio: "inherit" }).status ?? 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
