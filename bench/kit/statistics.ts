/** Medians and spreads: on a noisy machine only ratios of neighbouring runs say anything. */

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('a median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
  p5: number;
  p95: number;
  samples: number;
}

/** Between two neighbours in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: median(values),
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    p5: quantile(sorted, 0.05),
    p95: quantile(sorted, 0.95),
    samples: sorted.length,
  };
}

/** The ratio of each round's own pair of values. */
export function ratios(values: readonly number[], references: readonly number[]): number[] {
  if (values.length !== references.length) throw new Error(`${values.length} rounds against ${references.length}`);
  return values.map((value, round) => value / (references[round] as number));
}

export interface Fit {
  readonly slope: number;
  readonly intercept: number;
  /** R²: the share of the variance that the line explains. */
  readonly determination: number;
}

/** The straight line that is nearest to the points, by least squares. */
export function linearFit(xs: readonly number[], ys: readonly number[]): Fit {
  if (xs.length !== ys.length || xs.length < 2) throw new Error(`a line through ${xs.length} and ${ys.length} points`);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const [at, x] of xs.entries()) {
    const y = ys[at] as number;
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
    yy += (y - meanY) ** 2;
  }
  return { slope: xy / xx, intercept: meanY - (xy / xx) * meanX, determination: yy === 0 ? 1 : xy ** 2 / (xx * yy) };
}

/** Four significant digits at most, without an exponent. */
export function digits(value: number): string {
  const shown = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return String(Number(shown));
}

export function spreadText(of: Spread): string {
  return `${digits(of.median)} (${digits(of.min)}–${digits(of.max)})`;
}
