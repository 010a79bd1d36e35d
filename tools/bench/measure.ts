import type { Samples } from "./quartiles.ts";

/** What one subject gave. */
export interface Series {
  readonly subject: string;
  /** One of each round. */
  readonly samples: Samples;
  /** Why there is no figure, or why some are missing. */
  readonly problem?: string;
}

/** One quantity of one thing that is done, by every subject that can do it. */
export interface Measure {
  /** What is done: `status, API key`. */
  readonly name: string;
  /** `wall time` */
  readonly quantity: string;
  /** `ms` */
  readonly unit: string;
  readonly series: readonly Series[];
}

/** What a section found out. */
export interface Findings {
  readonly measures: readonly Measure[];
  /** What one has to know to read them. */
  readonly notes?: readonly string[];
  readonly growths?: readonly GrowthFinding[];
}

/** How a quantity grows with a size. */
export interface GrowthFinding {
  /** `status by the size of auth.json` */
  readonly name: string;
  readonly subject: string;
  readonly size: string;
  readonly quantity: string;
  readonly unit: string;
  readonly points: readonly { readonly size: number; readonly median: number }[];
  readonly slope: number | undefined;
  readonly order: string;
}

/** What a measure is called that is one of several sizes of the same. */
export function sizedName(name: string, size: number): string {
  return `${name}: ${size.toLocaleString("en")}`;
}

/** A section of the report. */
export interface SectionResult extends Findings {
  readonly name: string;
  readonly title: string;
  /** Why it is empty. */
  readonly problem?: string;
}

export function findSeries(
  sections: readonly SectionResult[],
  section: string,
  name: string,
  quantity: string,
  subject: string,
): Samples {
  const found = sections.find((one) => one.name === section)?.measures
    .find((one) => one.name === name && one.quantity === quantity);
  return found?.series.find((one) => one.subject === subject)?.samples ?? [];
}
