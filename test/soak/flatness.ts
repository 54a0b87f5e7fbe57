/**
 * Whether a series of samples is flat: how its last third compares with its first, and the slope of the line through all of it.
 * A third's level is its lower quartile: what others do on the machine comes and goes, what the broker piles up stays.
 */
import { linearFit } from '../../bench/kit/statistics.ts';

export interface Bounds {
  /** The last third's level may be so many times the first third's ... */
  readonly ratioMax: number;
  /** ... or so much above it, whichever allows more. */
  readonly moreMax: number;
}

export interface Flatness {
  readonly first: number;
  readonly last: number;
  /** By the hour. */
  readonly slope: number;
  readonly flat: boolean;
}

const THIRDS = 3;
const LEVEL = 0.25;
const HOUR_MS = 3_600_000;

/** Both thirds have at least one sample each. */
export function flatness(atMs: readonly number[], values: readonly number[], { ratioMax, moreMax }: Bounds): Flatness {
  if (values.length < THIRDS) throw new Error(`${values.length} samples have no thirds`);
  const third = Math.floor(values.length / THIRDS);
  const first = quantile(values.slice(0, third), LEVEL);
  const last = quantile(values.slice(-third), LEVEL);
  const slope = linearFit(atMs, values).slope * HOUR_MS;
  return { first, last, slope, flat: last <= Math.max(first * ratioMax, first + moreMax) };
}

/** 0 when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
