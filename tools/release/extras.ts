import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { renderManPage } from "../man_page.ts";
import type { Entry } from "./entry.ts";

/** Each shell's completions, by the name that the shell looks for. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: "codex-login.bash",
  fish: "codex-login.fish",
  powershell: "codex-login.ps1",
  zsh: "_codex-login",
};
const READABLE = 0o644;

/** The completions and the manual page, which the sources write themselves. */
export function readExtras(date: Date): Entry[] {
  const entries: Entry[] = [];
  for (const [shell, name] of Object.entries(COMPLETIONS)) {
    const stdout = run(["-P=login", "src/main.ts", "completion", shell]);
    entries.push({ name: `completions/${name}`, mode: READABLE, content: stdout });
  }
  entries.push({
    name: "man/codex-login.1",
    mode: READABLE,
    content: Buffer.from(renderManPage(date)),
  });
  return entries;
}

function run(args: readonly string[]): Uint8Array {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["run", "--quiet", ...args]);
  if (status === 0 && stdout.length > 0) return stdout;
  throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`.trim());
}
