import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The bundle, and what it loads when it needs it. */
const FILES = ["cli.js", "mcp_sdk.js"];

/**
 * The bundle on Deno's runtime, which takes away from it every permission it does not need: those of `permissions.login` in
 * deno.json, never asking for more. It has no keyring: Deno would put all of node_modules into the file. The runtime (`denort`)
 * would be fetched by Deno from a server of its own, unchecked, so this is made only where somebody has it. Says what was done,
 * or why nothing was.
 */
export function compileByDeno(
  file: string,
  denort: string | undefined = process.env["DENORT_BIN"],
  bundle = "dist",
): string {
  if (!denort) return `${file}: not made, for DENORT_BIN does not name Deno's runtime`;
  const { permissions } = JSON.parse(readFileSync("deno.json", "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "codex-login-deno-"));
  try {
    for (const name of FILES) cpSync(join(bundle, name), join(folder, name));
    // Deno by itself lets programs import from a few servers; this one has all it needs in it.
    const login = { ...permissions.login, import: { deny: true } };
    writeFileSync(join(folder, "deno.json"), JSON.stringify({ permissions: { login } }));
    const [entry = "", ...others] = FILES;
    const { status, stderr, error } = spawnSync(
      denoPath(),
      [
        ...["compile", "--quiet", "--no-check", "-P=login", "--no-prompt"],
        ...others.flatMap((name) => ["--include", name]),
        ...[`--output=${resolve(file)}`, entry],
      ],
      { cwd: folder, encoding: "utf8", env: { ...process.env, DENORT_BIN: resolve(denort) } },
    );
    if (status !== 0) throw new Error(`deno compile failed: ${error ?? stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `${file}: executable on Deno's runtime, without a keyring`;
}

/** Not by its link in `.bin`, whose target is put in place by an install script. */
function denoPath(): string {
  if (process.versions["deno"]) return process.execPath;
  return join(
    dirname(createRequire(import.meta.url).resolve("deno/package.json")),
    process.platform === "win32" ? "deno.exe" : "deno",
  );
}
