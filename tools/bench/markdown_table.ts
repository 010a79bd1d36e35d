import type { Summary } from "./report.ts";

/** The first column is of words, the others are of figures. */
export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(clean).join(" | ")} |`;
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

export function clean(cell: string): string {
  return cell.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

/** Three digits are more than the figures are good for. */
export function formatFigure(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

export function formatRatio(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 0.1 ? 3 : 2);
}

export function formatSummary(summary: Summary | undefined): string {
  const found = summary?.quartiles;
  if (!found) return "–";
  const median = formatFigure(found.median);
  if (found.count === 1) return median;
  return `${median} (${formatFigure(found.first)}–${formatFigure(found.third)})`;
}
