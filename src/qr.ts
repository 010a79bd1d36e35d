import { encode } from "uqr";
import type { TerminalStyle } from "./terminal.ts";

/** Modules that stay light around the code: four by ISO/IEC 18004, but readers do with less where there is no room. */
const QUIET_ZONES = [4, 2, 1];
const COLORS = ["\x1b[30;107m", "\x1b[0m"] as const;

/**
 * Draws text as a QR code, two modules in one character. With colours it is black on white on any terminal; without them the
 * terminal's own colour stands for light, which is right on dark terminals, and most readers take it the other way round too.
 *
 * @param columns of the terminal; undefined when nobody knows.
 * @returns the code, or a sentence that says why it cannot be drawn.
 */
export function renderQr(
  text: string,
  { color }: Pick<TerminalStyle, "color">,
  columns: number | undefined,
): string {
  const code = encodeToFit(text, columns);
  if (typeof code === "string") return code;
  const { data, size } = code;
  const isDark = (row: number, column: number): boolean => data[row]?.[column] === true;
  const [start, end] = color ? COLORS : ["", ""];
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column++) {
      const [top, bottom] = [isDark(row, column), isDark(row + 1, column)];
      line += color ? block(top, bottom) : block(!top, !bottom);
    }
    lines.push(start + line + end);
  }
  return lines.join("\n");
}

/** With as much light around it as there is room for. */
function encodeToFit(
  text: string,
  columns: number | undefined,
): ReturnType<typeof encode> | string {
  let size = 0;
  for (const border of QUIET_ZONES) {
    try {
      const code = encode(text, { ecc: "L", border });
      size = code.size;
      if (columns === undefined || size <= columns) return code;
    } catch {
      return "This address is too long for a QR code.";
    }
  }
  return `The QR code needs ${size} columns, and this terminal has ${columns}.`;
}

function block(top: boolean, bottom: boolean): string {
  if (top) return bottom ? "█" : "▀";
  return bottom ? "▄" : " ";
}
