import { COLUMNS, type Frame } from "./terminal_recording.ts";

const COLUMN_WIDTH = 8.4;
const ROW_HEIGHT = 20;
const MARGIN = 18;
/** The bar with the three dots. */
const BAR = 34;

/** Colours that have a contrast of 4.5 and more on the background; the names are those of SGR. */
const CLASSES: Readonly<Record<string, string>> = {
  "1": "b",
  "2": "d",
  "31": "r",
  "32": "g",
  "33": "y",
  "34": "l",
  "36": "c",
};

const STYLE = `
text { font: 14px/20px ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6d3cb; white-space: pre; }
.b { font-weight: 700; } .d { fill: #9b968b; } .r { fill: #ff9b8f; } .g { fill: #7fd6b0; } .y { fill: #f0c674; } .l { fill: #8ab4f8; } .c { fill: #7fd1de; }
.p { fill: #fff; font-weight: 700; }
.f { visibility: hidden; }`;

/**
 * The frames one after the other, as a picture that needs no script and no font of its own. Who asks for less motion sees
 * the last frame, and so does whoever has no animations.
 */
export function renderTerminalPicture(
  frames: readonly Frame[],
  { title, description }: { title: string; description: string },
): string {
  const rows = Math.max(...frames.map((frame) => frame.rows.length));
  const width = Math.ceil(COLUMNS * COLUMN_WIDTH + 2 * MARGIN);
  const height = BAR + rows * ROW_HEIGHT + 2 * MARGIN;
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let elapsed = 0;
  const timeline = frames.map(({ seconds }, index) => {
    const from = percent(elapsed / total);
    elapsed += seconds;
    const to = percent(elapsed / total);
    const before = from === "0%" ? "" : "0% { visibility: hidden; } ";
    const after = to === "100%" ? "" : ` ${to} { visibility: hidden; }`;
    return `@keyframes k${index} { ${before}${from} { visibility: visible; }${after} }
.f${index} { animation: k${index} ${total}s step-end infinite; }`;
  });
  const last = frames.length - 1;
  const groups = frames.map((frame, index) =>
    `<g class="f f${index}">\n${frame.rows.map(renderRow).filter(Boolean).join("\n")}\n</g>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(description)}</desc>
<style>${STYLE}
.f${last} { visibility: visible; }
@media (prefers-reduced-motion: no-preference) {
${timeline.join("\n")}
}
</style>
<rect width="${width}" height="${height}" rx="10" fill="#1c1b19"/>
<circle cx="22" cy="18" r="6" fill="#ff6159"/><circle cx="42" cy="18" r="6" fill="#ffbd2e"/><circle cx="62" cy="18" r="6" fill="#28c941"/>
${groups.join("\n")}
</svg>
`;
}

function renderRow(row: string, index: number): string {
  const y = BAR + MARGIN + index * ROW_HEIGHT + 10;
  const isPrompt = row.startsWith("$ ");
  const classes = new Set<string>();
  const parts: string[] = [];
  // deno-lint-ignore no-control-regex
  for (const [, codes, text = ""] of row.matchAll(/(?:\x1b\[([\d;]*)m)|([^\x1b]+)/g)) {
    if (codes !== undefined) obey(codes, classes);
    else if (text) parts.push(span(text, [...classes]));
  }
  const content = parts.join("").trimEnd();
  if (content === "") return "";
  return `<text x="${MARGIN}" y="${y}"${isPrompt ? ' class="p"' : ""}>${content}</text>`;
}

/** What select graphic rendition switches on and off; what is not listed is not shown. */
function obey(codes: string, classes: Set<string>): void {
  for (const code of codes.split(";")) {
    if (code === "" || code === "0") classes.clear();
    else if (code === "39") { for (const name of "rgylc") classes.delete(name); }
    else if (code === "22") { for (const name of "bd") classes.delete(name); }
    else if (CLASSES[code]) classes.add(CLASSES[code]);
  }
}

function span(text: string, classes: readonly string[]): string {
  const escaped = escapeXml(text);
  return classes.length === 0 ? escaped : `<tspan class="${classes.join(" ")}">${escaped}</tspan>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}
