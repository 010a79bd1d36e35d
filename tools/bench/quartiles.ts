/** A row of figures in short. */
export interface Quartiles {
  readonly count: number;
  readonly least: number;
  readonly first: number;
  readonly median: number;
  readonly third: number;
  readonly most: number;
}

/** A run that failed has left a hole in the row, so that the others stay in their rounds. */
export type Samples = readonly (number | null)[];

/** Undefined where nothing was measured. */
export function quartilesOf(samples: Samples): Quartiles | undefined {
  const sorted = measured(samples).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (part: number): number => interpolate(sorted, part * (sorted.length - 1));
  return {
    count: sorted.length,
    least: at(0),
    first: at(0.25),
    median: at(0.5),
    third: at(0.75),
    most: at(1),
  };
}

export function medianOf(samples: Samples): number | undefined {
  return quartilesOf(samples)?.median;
}

/** The median of the ratios of the same rounds: what slows both at once leaves it as it is. */
export function pairedRatio(samples: Samples, base: Samples): number | undefined {
  return medianOf(samples.map((value, round) => {
    const other = base[round] ?? null;
    return value === null || other === null || other === 0 ? null : value / other;
  }));
}

function measured(samples: Samples): number[] {
  return samples.filter((one): one is number => one !== null && Number.isFinite(one));
}

function interpolate(sorted: readonly number[], at: number): number {
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
