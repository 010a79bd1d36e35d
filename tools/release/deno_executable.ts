import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * The same program on Deno's runtime, which takes away from it every permission it does not need: those of `permissions.login`
 * in deno.json, never asking for more. Deno would fetch the runtime (`denort`) from a server of its own, unchecked, so it is made
 * only where somebody has it. Says what was done, or why nothing was.
 */
export function compileByDeno(
  file: string,
  denort: string | undefined = process.env["DENORT_BIN"],
): string {
  if (!denort) return `${file}: not made, for DENORT_BIN does not name Deno's runtime`;
  const package_ = createRequire(import.meta.url).resolve("deno/package.json");
  const deno = join(dirname(package_), process.platform === "win32" ? "deno.exe" : "deno");
  const { status, stderr, error } = spawnSync(
    deno,
    [
      "compile",
      "--quiet",
      "--no-check",
      "-P=login",
      "--no-prompt",
      `--output=${file}`,
      "src/main.ts",
    ],
    { encoding: "utf8", env: { ...process.env, DENORT_BIN: denort } },
  );
  if (status !== 0) throw new Error(`deno compile failed: ${error ?? stderr}`);
  return `${file}: executable on Deno's runtime`;
}
