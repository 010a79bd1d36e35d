import type { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import { environmentValue, type World } from "./world.ts";

/** How words are shown to this person. */
export interface TerminalStyle {
  readonly color: boolean;
  readonly links: boolean;
}

/** Colour and links only where they cannot hurt: on a terminal that wants them. */
export async function resolveStyle(
  world: Pick<World, "env" | "isTerminal">,
  { plain, noColor }: { plain: boolean; noColor: boolean },
): Promise<TerminalStyle> {
  const isDumb = ["dumb", ""].includes(world.env["TERM"] ?? "any");
  const isTerminal = !isDumb && await world.isTerminal("stderr");
  const isForced = environmentValue(world, "FORCE_COLOR") !== undefined &&
    world.env["FORCE_COLOR"] !== "0";
  const isRefused = plain || noColor || environmentValue(world, "NO_COLOR") !== undefined;
  return { color: !isRefused && (isTerminal || isForced), links: !plain && isTerminal };
}

/**
 * An error in at most four lines: what, why, what next, and what it did not touch. Every part is cleaned: some of it
 * came from outside.
 */
export function formatError(error: LoginError, style: TerminalStyle): string {
  const label = style.color ? `\x1b[1;31merror[${error.code}]\x1b[0m` : `error[${error.code}]`;
  const lines = [
    `${label}: ${printable(error.message)}`,
    error.reason ? `  cause: ${printable(error.reason)}` : "",
    `  try:   ${printable(error.hint)}`,
    error.note ? `  note:  ${printable(error.note)}` : "",
  ];
  return lines.filter((line) => line !== "").join("\n");
}

/** An address that can be clicked where terminals can do that, and copied whole everywhere: one line, never wrapped by us. */
export function formatLink(url: string, style: TerminalStyle): string {
  return style.links ? `\x1b]8;;${url}\x1b\\${url}\x1b]8;;\x1b\\` : url;
}

/** Asks the terminal to put text on the person's clipboard, also through SSH. It need not obey, and says nothing about it. */
export function formatClipboard(text: string): string {
  return `\x1b]52;c;${Buffer.from(text).toString("base64")}\x07`;
}

/**
 * Breaks sentences between words, so that terminals need not break them within one. Lines that start with a blank (commands to
 * copy), links and words that are wider than the terminal stay as they are.
 */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").flatMap((line) => {
    if (line.length <= columns || /^\s/.test(line) || line.includes("\x1b")) return [line];
    const lines: string[] = [];
    for (const word of line.split(" ")) {
      const last = lines.at(-1);
      const longer = `${last} ${word}`;
      if (last !== undefined && longer.length <= columns) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }).join("\n");
}
