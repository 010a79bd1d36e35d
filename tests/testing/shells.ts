import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestHome } from "./home.ts";

/** Runs a program to its end, in that folder, and gives its stdout; whatever is on stderr is a fault. */
export function output(home: TestHome, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: home.path,
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: process.env["PATH"] ?? "", HOME: home.path, LC_ALL: "C.UTF-8", TERM: "xterm" },
  });
  if (error) throw error;
  if (status !== 0 || stderr !== "") throw new Error(`${command} ended ${status}: ${stderr}`);
  return stdout;
}

/** What a shell offers at the end of each of these command lines, sorted. */
export type Complete = (
  home: TestHome,
  script: string,
  lines: readonly string[],
) => Promise<string[][]>;

/** By calling the function as bash does, which splits at "=". */
export async function completeInBash(
  home: TestHome,
  script: string,
  lines: readonly string[],
): Promise<string[][]> {
  await writeFile(join(home.path, "completion"), script);
  const calls = lines.map((line) => {
    const words = line.split(" ").flatMap((word) => {
      const parts = word.split(/(=)/);
      return parts.at(-1) === "" && parts.length > 1 ? parts.slice(0, -1) : parts;
    });
    return [
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})`,
      `COMP_CWORD=${words.length - 1}`,
      "_codex_login",
      'for one in "${COMPREPLY[@]}"; do printf "%s\\n" "$one"; done',
      "echo ---",
    ].join("\n");
  });
  const text = ["source ./completion", ...calls].join("\n");
  return split(output(home, "bash", ["--norc", "--noprofile", "-c", text]));
}

/** What becomes of each line at a terminal when the key is pressed once, with all that readline does itself. */
export async function typeInBash(
  home: TestHome,
  script: string,
  lines: readonly string[],
): Promise<string[]> {
  await writeFile(join(home.path, "completion"), script);
  await writeFile(join(home.path, "setup"), BASH_SETUP);
  const calls = lines.map((line) => `ask ${quote(line)}`);
  const driver = DRIVER.replace("zsh -f -i", "bash --norc --noprofile -i")
    .replace("./capture", "./setup");
  await writeFile(join(home.path, "driver"), [driver, ...calls, "zpty -d shell"].join("\n"));
  output(home, "zsh", ["-f", "driver"]);
  return (await readFile(join(home.path, "typed"), "utf8")).split("\n").slice(0, -1);
}

const BASH_SETUP = String.raw`
PS1=
source ./completion
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
over() { printf '%s\n' "$READLINE_LINE" >> ./typed; READLINE_LINE=; printf 'OV''ER'; }
bind -x '"\C-t": over'
printf 'REA''DY'
`;

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export async function completeInFish(
  home: TestHome,
  script: string,
  lines: readonly string[],
): Promise<string[][]> {
  await writeFile(join(home.path, "completion"), script);
  const calls = lines.map((line) => `complete -C '${line}'\necho ---`);
  const text = ["source ./completion", ...calls].join("\n");
  // Behind a tabulator is the description.
  return split(output(home, "fish", ["--no-config", "-c", text]).replace(/\t.*/g, ""));
}

/** At a terminal, as a person: with the keys, and what is offered written down where zsh adds it. */
export async function completeInZsh(
  home: TestHome,
  script: string,
  lines: readonly string[],
): Promise<string[][]> {
  await writeFile(join(home.path, "completion"), script);
  await writeFile(join(home.path, "capture"), CAPTURE);
  const calls = lines.map((line) => `ask ${quote(line)}`);
  await writeFile(join(home.path, "driver"), [DRIVER, ...calls, "zpty -d shell"].join("\n"));
  await writeFile(join(home.path, "offered"), "");
  output(home, "zsh", ["-f", "driver"]);
  return split(await readFile(join(home.path, "offered"), "utf8"));
}

const CAPTURE = String.raw`
PS1=
LISTMAX=100000
stty rows 200 cols 200
autoload -Uz compinit
unsetopt beep
zstyle ':completion:*' insert-tab false
compinit -u -d ./dump
source ./completion
compadd() {
  if [[ -z \${(M)@:#-[OAD]} ]]; then
    local -a hits
    builtin compadd -O hits "$@"
    (( $#hits )) && print -rl -- $hits >> ./offered
  fi
  builtin compadd "$@"
}
over() { print -r -- --- >> ./offered; BUFFER=; print -n "OV""ER" }
zle -N over
bindkey '^I' complete-word
bindkey '^T' over
print "REA""DY"
`.replaceAll("\\$", "$");

const DRIVER = String.raw`
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source ./capture'
zpty -r shell text '*READY*'
ask() {
  zpty -w -n shell "$1"$'\t\x14'
  zpty -r shell text '*OVER*'
}
`;

function split(text: string): string[][] {
  return text.split("---\n").slice(0, -1).map((part) =>
    [...new Set(part.split("\n").filter((line) => line !== ""))].sort()
  );
}
