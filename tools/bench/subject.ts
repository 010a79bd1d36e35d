import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { denoPath } from "../../tests/testing/deno_path.ts";
import { ROOT } from "../../tests/testing/program.ts";
import { bunPath } from "../bun_path.ts";
import type { Reference } from "../reference.ts";

/** Something that is measured. */
export interface Subject {
  readonly name: string;
  /** Ours have all commands, the reference its own, and the floor does nothing. */
  readonly kind: "ours" | "reference" | "floor";
  /** The command line before its own arguments. */
  readonly command: readonly string[];
}

/** All that can be measured here, in the order of a round. */
export function findSubjects(folder: string, reference: Reference | undefined): Subject[] {
  const main = join(ROOT, "src/main.ts");
  const config = ["--config", join(ROOT, "deno.json"), "-P=login"];
  const executable = join(ROOT, "dist/codex-login");
  if (!existsSync(executable)) throw new Error("dist/codex-login is missing: npm run build");
  // What is built anew while this runs would be another subject.
  const kept = join(folder, "codex-login");
  copyFileSync(executable, kept);
  const bundle = join(ROOT, "dist/cli.js");
  return [
    { name: "executable", kind: "ours", command: [kept] },
    ...(reference ? referenceSubjects(reference) : []),
    { name: "floor", kind: "floor", command: [compileFloor(folder)] },
    { name: "bun", kind: "ours", command: [bunPath(), main] },
    { name: "deno", kind: "ours", command: [denoPath(), "run", "--quiet", ...config, main] },
    { name: "node", kind: "ours", command: ["node", bundle] },
  ];
}

function referenceSubjects({ program, shim }: Reference): Subject[] {
  return [
    { name: "reference", kind: "reference", command: [program] },
    { name: "reference-npm", kind: "reference", command: ["node", shim] },
  ];
}

/** An empty program, compiled as `build.ts` compiles ours: less than that nothing on this runtime can take. */
function compileFloor(folder: string): string {
  const source = join(folder, "floor.ts");
  const floor = join(folder, "floor");
  writeFileSync(source, "export {};\n");
  const { status, stderr } = spawnSync(bunPath(), [
    "build",
    source,
    `--outfile=${floor}`,
    "--compile",
    "--splitting",
    "--minify",
    "--bytecode",
    "--format=esm",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-tsconfig",
    "--no-compile-autoload-package-json",
  ], { encoding: "utf8", cwd: folder });
  if (status !== 0) throw new Error(`the floor was not built: ${stderr}`);
  return floor;
}
