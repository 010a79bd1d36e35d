import type { Place } from "./place.ts";
import type { Findings } from "./measure.ts";
import type { Subject } from "./subject.ts";

/** What a section needs to measure. */
export interface Bench {
  /** Counted runs; one more warms up. */
  readonly runs: number;
  readonly place: Place;
  readonly subjects: readonly Subject[];
  /** Figures that were taken before, outside of this process. */
  readonly installSeconds: readonly InstallTime[];
  say(line: string): void;
}

export interface InstallTime {
  readonly name: string;
  readonly seconds: number;
}

/** One part of the report. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly run: (bench: Bench) => Promise<Findings>;
}

export function ours({ subjects }: Bench): Subject[] {
  return subjects.filter(({ kind }) => kind === "ours");
}

/** Ours and the reference's, without the floor. */
export function programs({ subjects }: Bench): Subject[] {
  return subjects.filter(({ kind }) => kind !== "floor");
}

export function findSubject({ subjects }: Bench, name: string): Subject | undefined {
  return subjects.find((one) => one.name === name);
}
