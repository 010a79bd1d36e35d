/**
 * The measurements themselves, run by Bun: `npm run bench` builds what is measured and starts this. The only argument is what was
 * asked, in JSON.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/testing/program.ts";
import type { Reference } from "../reference.ts";
import type { Bench, InstallTime, Section } from "./bench.ts";
import { APP_SERVER } from "./app_server.ts";
import { CALLBACK } from "./callback.ts";
import { DEVICE } from "./device.ts";
import { FLOOD } from "./flood.ts";
import { drawCharts } from "./charts.ts";
import { judgeGoals } from "./goals.ts";
import { LOGIN } from "./login.ts";
import { describeMachine } from "./machine.ts";
import { writeMarkdown } from "./markdown.ts";
import type { SectionResult } from "./measure.ts";
import { createPlace } from "./place.ts";
import { type Report, writeJson } from "./report.ts";
import { MANY } from "./many.ts";
import { SCALE } from "./scale.ts";
import { SIZE } from "./size.ts";
import { killAll } from "./running.ts";
import { START } from "./start.ts";
import { TOKEN } from "./token.ts";
import { findSubjects } from "./subject.ts";

export interface Asked {
  readonly runs: number;
  /** Names of sections; all, if none are named. */
  readonly only: readonly string[];
  readonly reference?: Reference;
  readonly installSeconds: readonly InstallTime[];
}

const SECTIONS: readonly Section[] = [
  START,
  LOGIN,
  CALLBACK,
  TOKEN,
  APP_SERVER,
  DEVICE,
  FLOOD,
  MANY,
  SIZE,
  SCALE,
];
const RESULTS = join(ROOT, "bench/results");

if (import.meta.main) await measure(JSON.parse(process.argv[2] ?? ""));

async function measure({ runs, only, reference, installSeconds }: Asked): Promise<void> {
  const unknown = only.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined) {
    say(`there is no section ${unknown}: ${SECTIONS.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  using place = createPlace();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => {
      killAll();
      place[Symbol.dispose]();
      process.exit(1);
    });
  }
  const subjects = findSubjects(place.folder, reference);
  const bench: Bench = { runs, place, subjects, installSeconds, say };
  const sections: SectionResult[] = [];
  for (const section of SECTIONS) {
    if (only.length > 0 && !only.includes(section.name)) continue;
    const started = performance.now();
    sections.push(await measureSection(section, bench));
    say(`${section.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  write({ machine: describeMachine(ROOT), runs, goals: judgeGoals(sections), sections });
}

/** One that breaks leaves its reason, and the others. */
async function measureSection(section: Section, bench: Bench): Promise<SectionResult> {
  const { name, title } = section;
  try {
    return { name, title, ...await section.run(bench) };
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    say(`${name}: not measured: ${problem}`);
    return { name, title, problem, measures: [] };
  }
}

function write(report: Report): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "results.json"), writeJson(report));
  const charts = drawCharts(report.sections);
  for (const { file, svg } of charts) writeFileSync(join(RESULTS, file), svg);
  writeFileSync(join(RESULTS, "results.md"), writeMarkdown(report, charts));
  for (const { what, bound, figure, isMet } of report.goals) {
    const verdict = isMet === undefined ? "not measured" : isMet ? "met" : "MISSED";
    say(`${verdict.padEnd(13)} ${what} ${bound}: ${figure?.toFixed(3) ?? "–"}`);
  }
  say("bench/results/results.md, results.json");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
