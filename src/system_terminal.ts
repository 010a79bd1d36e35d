import { writeSync } from "node:fs";
import { readProc } from "./proc.ts";
import type { TerminalOptions, TerminalSession } from "./world.ts";

/** Terminals that mark pastes are asked to do so while we read from them. */
const MARK_PASTES = "\x1b[?2004h";
const LEAVE_PASTES = "\x1b[?2004l";
/** Milliseconds after which we are still there: nobody was willing to stop us. */
const STOP_MS = 200;

/** What stops or ends a process and has no meaning of our own: it does so once the terminal is given back. */
const OTHERS = ["SIGTSTP", "SIGQUIT"] as const;

/**
 * Reads the terminal key by key, and gives it back as it was on every way out but SIGKILL. In the background, where reading
 * would stop the process, it waits until the terminal is ours again.
 *
 * @returns undefined where there is no terminal.
 */
export async function openSystemTerminal(
  { marksPastes, onBytes, onResume }: TerminalOptions,
): Promise<TerminalSession | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  let isOpen = false;
  let isClosed = false;

  function draw(text: string): void {
    try {
      writeSync(2, text);
    } catch {
      // The terminal is gone, or full: a login goes on without it.
    }
  }

  function enter(): void {
    if (isOpen || isClosed) return;
    // Bun and Node do not set a mode which they think is set, and a shell may have set another.
    stdin.setRawMode(false);
    stdin.setRawMode(true);
    isOpen = true;
    stdin.on("data", onBytes);
    stdin.resume();
    if (marksPastes) draw(MARK_PASTES);
  }

  function leave(): void {
    if (!isOpen) return;
    isOpen = false;
    // Reading in the background would stop the process.
    stdin.off("data", onBytes);
    stdin.pause();
    if (marksPastes) draw(LEAVE_PASTES);
    try {
      stdin.setRawMode(false);
    } catch {
      // It is closed.
    }
  }

  /** The shell has set its own modes meanwhile; and in the background the terminal is somebody else's. */
  async function reclaim(): Promise<void> {
    if (isOpen || isClosed || !await isInForeground()) return;
    try {
      enter();
    } catch {
      // The terminal is gone: a signal says so and ends the login, or it goes on without one.
      return;
    }
    if (isOpen) onResume();
  }

  /** The terminal may be somebody else's by now: neither its modes nor its input are touched before that is known. */
  function onContinue(): void {
    isOpen = false;
    stdin.off("data", onBytes);
    stdin.pause();
    void reclaim();
  }

  function stop(signal: NodeJS.Signals, target: number): void {
    leave();
    for (const other of OTHERS) process.off(other, onOther);
    process.kill(target, signal);
    setTimeout(() => {
      if (!isClosed) { for (const other of OTHERS) process.on(other, onOther); }
      void reclaim();
    }, STOP_MS);
  }

  const onOther = (signal: NodeJS.Signals): void => stop(signal, process.pid);

  try {
    if (await isInForeground()) enter();
  } catch {
    return undefined;
  }
  stdin.on("error", leave);
  process.on("exit", leave);
  process.on("SIGCONT", onContinue);
  for (const other of OTHERS) process.on(other, onOther);
  return {
    isOpen: () => isOpen,
    columns: () => stderr.columns || 80,
    draw,
    reclaim,
    suspend: () => stop("SIGTSTP", 0),
    close(): void {
      leave();
      isClosed = true;
      process.off("SIGCONT", onContinue);
      for (const other of OTHERS) process.off(other, onOther);
      process.off("exit", leave);
      stdin.off("error", leave);
    },
  };
}

/** Whether this process group has the terminal. Only Linux tells; elsewhere it is believed. */
async function isInForeground(): Promise<boolean> {
  const stat = await readProc(`/proc/${process.pid}/stat`);
  // After the name, which may hold anything but is in brackets: state, parent, group, session, terminal, its group.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, , group, , , foreground] = fields;
  if (group === undefined || foreground === undefined || foreground === "-1") return true;
  return group === foreground;
}
