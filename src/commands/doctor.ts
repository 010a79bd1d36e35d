import type { CheckStatus } from "../checks/check.ts";
import { type CheckResult, diagnose } from "../doctor.ts";
import { formatJson } from "../json.ts";
import { createBundle, formatBundle, type SupportBundle } from "../support_bundle.ts";
import { type TerminalStyle, wrapWords } from "../terminal.ts";
import type { World } from "../world.ts";
import type { CommandContext } from "./command.ts";

/** Where there is no terminal that says how wide it is, lines are as long as they are. */
const NO_COLUMNS = Infinity;
const INDENT = "       ";
/** To be copied, and so never broken by us. */
const COMMAND = /(^ *|: )(codex-login|chmod|sudo|unset|export|ssh) /;
const COLORS: Readonly<Record<CheckStatus, string>> = {
  ok: "32",
  warn: "33",
  fail: "1;31",
  skip: "2",
};

/** Shows each finding as soon as all before it are there. */
export async function runDoctor(context: CommandContext): Promise<number> {
  const path = context.options.text("bundle");
  const bundle = path === undefined ? undefined : await createBundle(path);
  try {
    return await examine(context, bundle);
  } catch (thrown) {
    await bundle?.discard();
    throw thrown;
  }
}

async function examine(
  context: CommandContext,
  bundle: SupportBundle | undefined,
): Promise<number> {
  const { world, config, obstacle, json, answer, say } = context;
  const hazard = world.runtime.hazard(world.env);
  const style = await context.style();
  const columns = world.columns() ?? NO_COLUMNS;
  const { results, clean } = await diagnose({ world, config, obstacle, hazard });
  const found: CheckResult[] = [];
  for (const pending of results) {
    const result = await untilTold(world, pending);
    found.push(result);
    if (!json) answer(formatResult(result, style, columns));
  }
  const count = (status: CheckStatus): number =>
    found.filter((one) => one.status === status).length;
  const isOk = count("fail") === 0;
  if (json) {
    const checks = found.map(({ id, status, measured, expected, remedy, ms }) => ({
      id,
      status,
      measured,
      expected,
      remedy,
      ms,
    }));
    world.writeData(formatJson({ schemaVersion: 1, ok: isOk, checks }));
  } else answer(summarize(count("fail"), count("warn")));
  if (bundle) {
    await bundle.write(await formatBundle(config, found, clean, world.now()));
    say(clean(`Written: ${bundle.path}. Read it before you send it to anybody.`));
  }
  return isOk ? 0 : 1;
}

/** @throws what the process was told to end with. */
async function untilTold<T>({ signal }: World, pending: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const told = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([pending, told]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function formatResult(
  { id, status, measured, expected, remedy }: CheckResult,
  { color }: TerminalStyle,
  columns: number,
): string {
  const width = columns - INDENT.length;
  const wrapped = (text: string): string[] => wrapWords(text, width).split("\n");
  const [first = "", ...rest] = [
    ...wrapped(`${id}: ${measured}`),
    ...(expected === null ? [] : wrapped(`expected: ${expected}`)),
    ...(remedy === null
      ? []
      : remedyLines(remedy).flatMap((line) => COMMAND.test(line) ? [line] : wrapped(line))),
  ];
  const label = `[${status}]`;
  const shown = color ? `\x1b[${COLORS[status]}m${label}\x1b[0m` : label;
  const gap = INDENT.slice(label.length);
  return [`${shown}${gap}${first}`, ...rest.map((line) => `${INDENT}${line}`)].join("\n");
}

/** One thing to do a line. */
function remedyLines(remedy: string): string[] {
  return remedy.split("; ").map((one, i) => `${i === 0 ? "try: " : "     "}${one}`);
}

function summarize(failures: number, warnings: number): string {
  const some = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;
  if (failures > 0) return `${some(failures, "check")} failed, ${some(warnings, "warning")}.`;
  return warnings > 0 ? `Nothing failed, ${some(warnings, "warning")}.` : "Everything is well.";
}
