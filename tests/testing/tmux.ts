import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../src/system_world.ts";
import type { TestHome } from "./home.ts";
import { programCommand, programEnvironment } from "./program.ts";

/** Milliseconds for a screen to show something, on a busy machine. */
const PATIENCE_MS = 20_000;

/** A real terminal with a shell in it, which a person could sit at. */
export interface Terminal extends Disposable {
  /** A command line of this program, for the shell. */
  command(...args: string[]): string;
  /** Types a line into the shell. */
  type(line: string): void;
  /** Types a command of this program into the shell; what it ends with is shown as `exit=N`. */
  run(...args: string[]): void;
  /** Presses keys, by tmux's names. */
  press(...keys: string[]): void;
  /** Pastes text, with the marks of a paste if the program asked for them. */
  paste(text: string, options?: { marked: boolean }): void;
  /** All that was ever shown, wrapped lines joined as whoever copies them gets them. */
  screen(): string;
  /** The same with the codes of colours in it. */
  painted(): string;
  /** Waits until the screen shows this. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits until this is among all that was written: a moment after the screen shows it. */
  recorded(text: string): Promise<void>;
  /** Every byte that was written to the terminal. */
  raw(): string;
  /** What a program put on the clipboard. */
  clipboard(): string;
}

export function startTerminal(
  home: TestHome,
  { columns, env = {} }: { columns: number; env?: Record<string, string> },
): Terminal {
  const server = `codex-login-test-${randomBytes(6).toString("hex")}`;
  const recording = join(tmpdir(), `${server}.raw`);
  const variables = {
    ...programEnvironment(home, env),
    TERM: "xterm-256color",
    LC_ALL: "C.UTF-8",
    PS1: "$ ",
    // Written when the shell is ended, while its home is removed.
    HISTFILE: "",
  };
  // Deno hands on its own environment as well.
  const clean = ["-i", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
  const tmux = (...args: string[]): string =>
    execFileSync("env", [...clean, "tmux", "-u", "-L", server, "-f", "/dev/null", ...args], {
      encoding: "utf8",
    });
  const shell = "exec bash --norc --noprofile -i";
  tmux("new-session", "-d", "-x", `${columns}`, "-y", "60", shell);
  tmux("set-option", "-g", "set-clipboard", "on");
  tmux("set-option", "-g", "history-limit", "5000");
  tmux("pipe-pane", "-o", `cat >> '${recording}'`);
  const screen = (): string => tmux("capture-pane", "-p", "-J", "-S", "-");
  const painted = (): string => tmux("capture-pane", "-e", "-p", "-J", "-S", "-");
  const raw = (): string => existsSync(recording) ? readFileSync(recording, "utf8") : "";
  const command = (...args: string[]): string =>
    [...programCommand(), ...args].map((word) => `'${word}'`).join(" ");
  const type = (line: string): void => {
    tmux("send-keys", "-l", line);
    tmux("send-keys", "Enter");
  };
  return {
    command,
    type,
    run(...args): void {
      type(`${command(...args)}; echo "exit=$?"`);
    },
    press: (...keys) => keys.forEach((key) => tmux("send-keys", key)),
    paste(text, { marked } = { marked: true }): void {
      tmux("set-buffer", "-b", "test", text);
      tmux("paste-buffer", ...(marked ? ["-p"] : []), "-b", "test");
    },
    screen,
    painted,
    async shows(pattern): Promise<RegExpExecArray> {
      const until = performance.now() + PATIENCE_MS;
      for (;;) {
        const shown = screen();
        const match = pattern.exec(shown);
        if (match) return match;
        if (performance.now() > until) throw new Error(`${pattern} is not shown:\n${shown}`);
        await sleep(50);
      }
    },
    async recorded(text): Promise<void> {
      const until = performance.now() + PATIENCE_MS;
      while (!raw().includes(text)) {
        if (performance.now() > until) throw new Error(`${text} is not among:\n${raw()}`);
        await sleep(20);
      }
    },
    raw,
    clipboard: () => tmux("show-buffer"),
    [Symbol.dispose](): void {
      tmux("kill-server");
      rmSync(recording, { force: true });
    },
  };
}
