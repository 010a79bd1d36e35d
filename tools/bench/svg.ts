/** Colours that are told apart on white and on black, also by those who see fewer of them. */
export const SERIES_COLORS: Readonly<Record<string, string>> = {
  executable: "#1a7f5a",
  reference: "#c2571a",
  "reference-npm": "#d99a6c",
  floor: "#8a8f98",
  bun: "#4c8dd6",
  deno: "#8a63c9",
  node: "#b8912f",
};

/** A picture with the text and lines of its reader's scheme. */
export function writeSvg(
  { width, height, title }: { width: number; height: number; title: string },
  content: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${
    escapeXml(title)
  }">
<title>${escapeXml(title)}</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.quiet { fill: #57606a }
.line { stroke: #d0d7de; fill: none }
.axis { stroke: #57606a; fill: none }
.back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9da7b3 }
  .line { stroke: #30363d }
  .axis { stroke: #9da7b3 }
  .back { fill: #0d1117 }
}
</style>
<rect class="back" width="${width}" height="${height}"/>
${content.join("\n")}
</svg>
`;
}

export function text(
  x: number,
  y: number,
  words: string,
  { anchor = "start", kind = "" }: { anchor?: "start" | "middle" | "end"; kind?: string } = {},
): string {
  const shown = kind === "" ? "" : ` class="${kind}"`;
  return `<text x="${place(x)}" y="${place(y)}" text-anchor="${anchor}"${shown}>${
    escapeXml(words)
  }</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind = "line"): string {
  return `<path class="${kind}" d="M${place(x1)} ${place(y1)}L${place(x2)} ${place(y2)}"/>`;
}

export function colorOf(subject: string): string {
  return SERIES_COLORS[subject] ?? "#8a8f98";
}

export function place(value: number): string {
  return Number(value.toFixed(1)).toString();
}

export function escapeXml(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
