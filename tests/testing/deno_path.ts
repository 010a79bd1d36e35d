import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./program.ts";

/** Deno itself. Not what npm links to: that one starts the other, and keeps signals to itself. */
export function denoPath(): string {
  const folder = join(ROOT, "node_modules/@deno");
  const program = process.platform === "win32" ? "deno.exe" : "deno";
  return join(folder, readdirSync(folder)[0] ?? "", program);
}
