import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { visit } from "../tests/testing/fake_browser.ts";
import { createHome } from "../tests/testing/home.ts";
import { startIssuer } from "../tests/testing/issuer.ts";
import { programCommand } from "../tests/testing/program.ts";
import { startTerminal } from "../tests/testing/tmux.ts";

/** What the terminal showed at one moment, with the codes of its colours, and how long the picture stays on it. */
export interface Frame {
  readonly rows: readonly string[];
  readonly seconds: number;
}

/** The columns of the recorded terminal. */
export const COLUMNS = 100;

/** What is shown depends on the machine that records: whether a browser is likely to be seen there. */
const OF_THIS_MACHINE =
  /^(?:This looks like |If the browser is on another machine, | {2}ssh -L |Press Enter to open it)/;

/**
 * A person signs in, and looks at what came of it: the real program in a real terminal, with an issuer on loopback. What
 * is not the same each time (times, ports, identifiers, sizes) is replaced by what never changes.
 */
export async function recordTerminal(): Promise<Frame[]> {
  await using issuer = await startIssuer();
  await using home = await createHome();
  // What is typed is `codex-login`; only the issuer, and the browser that would open, are not the real ones.
  const script = [
    "#!/bin/sh",
    `[ $# = 0 ] && set -- login --issuer ${issuer.url} --browser true --port 0`,
    `exec ${programCommand().map((part) => `'${part}'`).join(" ")} "$@"`,
  ];
  await writeFile(join(home.path, "codex-login"), `${script.join("\n")}\n`);
  await chmod(join(home.path, "codex-login"), 0o755);
  using terminal = startTerminal(home, {
    columns: COLUMNS,
    env: { PATH: `${home.path}:${process.env["PATH"]}`, DISPLAY: ":0", FORCE_COLOR: "1" },
  });

  const mask = (text: string): string =>
    text
      .replace(new RegExp(`${issuer.url}/oauth/authorize\\?\\S+`), shortAddress)
      .replaceAll(issuer.url, "https://auth.example.com")
      .replaceAll(new URL(issuer.url).host, "auth.example.com")
      .replaceAll(home.path, "/home/ada/.codex")
      .replace(/waiting on port \d+/, "waiting on port 1455")
      .replace(/\d+:\d\d, \d+:\d\d left/, "0:04, 9:56 left")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-12-07T09:00:00.000Z")
      .replace(/[\d.]+ (?:GB|TB|MB) free/, "120 GB free")
      .replace(/\d+ bytes/, "2162 bytes");
  const frames: Frame[] = [];
  const keep = (seconds: number): void => {
    const rows = withoutHyperlinks(terminal.painted()).split("\n")
      .filter((row) => !OF_THIS_MACHINE.test(stripVTControlCharacters(row))).map(mask);
    while (rows.length > 0 && stripVTControlCharacters(rows.at(-1) ?? "").trim() === "") rows.pop();
    frames.push({ rows, seconds });
  };
  /** Shows the command before it runs, and what it said when the prompt is back. */
  const run = async (command: string, seconds: number): Promise<void> => {
    const { length: before } = prompts(terminal.screen());
    terminal.press("-l", command);
    await terminal.shows(new RegExp(`\\$ ${escapeRegExp(command)}\\s*$`));
    keep(1.5);
    terminal.press("Enter");
    await terminal.shows(new RegExp(`(?:^\\$ [^]*){${before + 1}}`, "m"));
    keep(seconds);
  };

  // The shell's own prompt names the shell.
  terminal.type("PS1='$ '; clear");
  await terminal.shows(/^\$ *\n*$/);
  terminal.press("-l", "codex-login");
  await terminal.shows(/^\$ codex-login\s*$/);
  keep(1.5);
  terminal.press("Enter");
  await terminal.shows(/never into a web page\.\s[^]*left - waiting/);
  keep(5);
  const [address] = await terminal.shows(/^http:\S+\/oauth\/authorize\?\S+$/m);
  await visit(address);
  await terminal.shows(/^Saved in [^]*^\$ *$/m);
  keep(4);
  await run("codex-login status", 4);
  await run(`codex-login token --json | grep -o '"expiresAt":"[^"]*"'`, 4);
  await run("codex-login doctor 2>&1 | grep -E ' (home|settings|locks)[.]'", 6);
  return frames;
}

/** The rows of a frame as plain text. */
export function frameText({ rows }: Frame): string[] {
  return rows.map((row) => stripVTControlCharacters(row).trimEnd());
}

/** An address as a person would quote it: the beginning says enough, the rest is random. */
function shortAddress(address: string): string {
  return `${/^[^?]*\?response_type=code/.exec(address)?.[0] ?? ""}&client_id=…`;
}

function prompts(screen: string): string[] {
  return screen.match(/^\$ ?/gm) ?? [];
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function withoutHyperlinks(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\]8;[^\x1b]*\x1b\\/g, "");
}
