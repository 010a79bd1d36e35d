import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { ROOT } from "../../tests/testing/program.ts";
import { REFERENCE_SIZE } from "../reference.ts";
import { type Bench, findSubject, type Section } from "./bench.ts";
import type { Findings, Measure, Series } from "./measure.ts";

/** What has to be fetched and kept. */
export const SIZE: Section = { name: "size", title: "Size", run };

/** It takes minutes, and tells little that gzip does not. */
const FEWEST_RUNS_FOR_XZ = 10;

function run(bench: Bench): Promise<Findings> {
  const subjects = ["executable", "reference"].flatMap((name) => {
    const path = findSubject(bench, name)?.command[0];
    return path === undefined ? [] : [{ name, path }];
  });
  const sizes = (name: string, read: (path: string) => number): Measure =>
    measure(name, subjects.map((one) => readSize(one.name, () => read(one.path))));
  const gzip = sizes("program, gzip -9", (path) => packedSize("gzip", ["-9"], path));
  const packed = gzip.series.filter(({ subject }) => subject === "executable");
  const isReferenceKnown = subjects.length > 1 && process.platform === "linux" &&
    process.arch === "x64";
  const theirs = { subject: "reference", samples: [REFERENCE_SIZE.packed / 1e6] };
  return Promise.resolve({
    measures: [
      sizes("program", (path) => statSync(path).size),
      gzip,
      ...bench.runs < FEWEST_RUNS_FOR_XZ
        ? []
        : [sizes("program, xz -9", (path) => packedSize("xz", ["-9", "-T0"], path))],
      measure("download", [...packed, ...isReferenceKnown ? [theirs] : []]),
      measure("npm package, as it is sent", [readSize("node", () => npmPackage().size)]),
      measure("npm package, unpacked", [readSize("node", () => npmPackage().unpackedSize)]),
      ...bench.installSeconds.map(({ name, seconds }): Measure => ({
        ...{ name: `from a clone: ${name}`, quantity: "wall", unit: "s" },
        series: [{ subject: "clone", samples: [seconds] }],
      })),
    ],
    notes: [
      "In MB of a million bytes. `download` compares the executable in gzip with the reference's npm package for this platform as npm sends it.",
      "The npm package is ours for Node, Bun and Deno, and brings no runtime.",
      ...bench.runs < FEWEST_RUNS_FOR_XZ ? ["xz is left out of a short run."] : [],
    ],
  });
}

function measure(name: string, series: readonly Series[]): Measure {
  return { name, quantity: "size", unit: "MB", series };
}

function readSize(subject: string, read: () => number): Series {
  try {
    return { subject, samples: [read() / 1e6] };
  } catch (thrown) {
    return { subject, samples: [], problem: String(thrown) };
  }
}

/** What the packed file would weigh, which is not kept. */
function packedSize(program: string, options: readonly string[], path: string): number {
  const script = 'file=$1; shift; "$@" <"$file" | wc -c';
  const { status, stdout, stderr } = spawnSync(
    "sh",
    ["-c", script, "sh", path, program, ...options],
    { encoding: "utf8" },
  );
  const size = Number(stdout);
  if (status !== 0 || size < 1_000) throw new Error(`${program} failed: ${stderr}`);
  return size;
}

function npmPackage(): { size: number; unpackedSize: number } {
  const { stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    ...{ cwd: ROOT, encoding: "utf8" },
  });
  const found = JSON.parse(stdout || "[]");
  const [first] = Array.isArray(found) ? found : Object.values(found);
  if (!first) throw new Error(`npm pack failed: ${stderr}`);
  return first as { size: number; unpackedSize: number };
}
