import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Entry } from "./entry.ts";

/** Each shell's completions, by the name that the shell looks for. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: "codex-login.bash",
  fish: "codex-login.fish",
  powershell: "codex-login.ps1",
  zsh: "_codex-login",
};
const MAN_PAGE = "dist/codex-login.1";
const READABLE = 0o644;

/**
 * The completions, which the program writes itself, and the man page, which the build writes. Undefined, and `tell` is told
 * why, where one of them is not there.
 */
export function readExtras(tell: (line: string) => void): Entry[] | undefined {
  const entries: Entry[] = [];
  for (const [shell, name] of Object.entries(COMPLETIONS)) {
    const args = ["run", "--quiet", "-P=login", "src/main.ts", "completion", shell];
    const { status, stdout, stderr } = spawnSync(process.execPath, args);
    if (status !== 0 || stdout.length === 0) {
      tell(`codex-login completion ${shell} ended with ${status}: ${stderr}`.trim());
      return undefined;
    }
    entries.push({ name: `completions/${name}`, mode: READABLE, content: stdout });
  }
  if (!existsSync(MAN_PAGE)) {
    tell(`${MAN_PAGE} is missing: npm run build`);
    return undefined;
  }
  entries.push({ name: "man/codex-login.1", mode: READABLE, content: readFileSync(MAN_PAGE) });
  return entries;
}
