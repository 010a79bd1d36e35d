import { createKeyDecoder, type TerminalInput } from "./key_decoder.ts";
import { wrapWords } from "./terminal.ts";
import type { TerminalSession, World } from "./world.ts";

/** Milliseconds after which ESC is a key, and a line's end the end of a paste. */
const SETTLE_MS = 50;
const TICK_MS = 1_000;
const CLEAR_LINE = "\r\x1b[2K";

export interface WaitingScreenOptions {
  /** What a key does, by its letter or `enter`. */
  readonly keys: Readonly<Record<string, () => void>>;
  /** What is waited for: stands after the time. */
  readonly title: string;
  /** Milliseconds until what is waited for ends by itself; 0 for never. */
  readonly limitMs: number;
  /** No line that changes, and no escape sequences: for screen readers and simple terminals. */
  readonly isPlain: boolean;
  /** Takes what was pasted, which is never shown; absent where nothing can be pasted. */
  onText?(text: string): void;
}

/** A terminal on which a person waits: keys work, a line tells the time, and what is said comes above it. */
export interface WaitingScreen {
  /** False while the program is in the background. */
  isOpen(): boolean;
  /** A line, or several. */
  say(text: string): void;
  /** A control sequence, which moves nothing. */
  control(sequence: string): void;
  /** Gives the terminal back. */
  close(): void;
}

/** @returns undefined where there is no terminal. */
export async function openWaitingScreen(
  world: Pick<World, "openTerminal" | "isTerminal" | "elapsed" | "sleep" | "interrupt">,
  { keys, title, limitMs, isPlain, onText }: WaitingScreenOptions,
): Promise<WaitingScreen | undefined> {
  if (!await world.isTerminal("stdin") || !await world.isTerminal("stderr")) return undefined;
  const started = world.elapsed();
  const closed = new AbortController();
  const decoder = createKeyDecoder(new Set(Object.keys(keys).filter((key) => key.length === 1)));
  let session: TerminalSession | undefined = undefined;
  let waiting = 0;

  function drawLine(): void {
    if (isPlain || closed.signal.aborted || !session?.isOpen()) return;
    const line = formatLine(world.elapsed() - started, decoder.pendingLength);
    // One column is left free: some terminals wrap as soon as the last one is filled.
    session.draw(CLEAR_LINE + line.slice(0, Math.max(0, session.columns() - 1)));
  }

  function formatLine(elapsedMs: number, pending: number): string {
    if (pending > 0) return `${pending} characters: Enter takes them, Esc drops them`;
    const leftMs = Math.max(0, limitMs - elapsedMs + 999);
    const left = limitMs > 0 ? `, ${formatTime(leftMs)} left` : "";
    // The time first: a narrow terminal cuts the end off.
    return `${formatTime(elapsedMs)}${left} - ${title}`;
  }

  function act(events: readonly TerminalInput[]): void {
    for (const event of events) {
      if (event.type === "text") onText?.(event.text);
      else if (event.key === "ctrl-c" || event.key === "esc") world.interrupt();
      else if (event.key === "ctrl-z") session?.suspend();
      else keys[event.key]?.();
    }
    drawLine();
  }

  async function settleLater(): Promise<void> {
    const own = ++waiting;
    await world.sleep(SETTLE_MS, closed.signal);
    // More came meanwhile, and has its own turn.
    if (own === waiting && !closed.signal.aborted) act(decoder.settle());
  }

  async function tick(): Promise<void> {
    while (!closed.signal.aborted) {
      if (session?.isOpen()) drawLine();
      else await session?.reclaim();
      await world.sleep(TICK_MS, closed.signal);
    }
  }

  session = await world.openTerminal({
    marksPastes: !isPlain && onText !== undefined,
    onBytes(bytes): void {
      waiting++;
      act(decoder.feed(bytes));
      if (decoder.isWaiting) void settleLater();
    },
    onResume: drawLine,
  });
  if (!session) return undefined;
  const { draw, columns, close, isOpen } = session;
  void tick();
  return {
    say(text): void {
      const lines = `${wrapWords(text, columns())}\n`.replaceAll("\n", "\r\n");
      draw(isPlain ? lines : CLEAR_LINE + lines);
      drawLine();
    },
    isOpen,
    control: draw,
    close(): void {
      if (closed.signal.aborted) return;
      closed.abort();
      if (!isPlain) draw(CLEAR_LINE);
      close();
    },
  };
}

/** Minutes and seconds. */
function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
