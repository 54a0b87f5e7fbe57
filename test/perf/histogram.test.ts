import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../src/perf/histogram.ts';

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** What sorting says: the smallest value that at least this share does not exceed. */
function exact(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] as number;
}

/** As many small values as large ones: all powers of two are as likely. */
const value = fc
  .tuple(fc.integer({ min: 0, max: 52 }), fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }))
  .map(([power, factor]) => Math.floor(factor * 2 ** power) - 1);

describe('a histogram', () => {
  test('gives every quantile that sorting gives, at most 1/128 too high', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const histogram = filled(values);
          for (const at of [share, 0, 0.5, 0.9, 0.99, 0.999, 1]) {
            const [wanted, given] = [exact(values, at), histogram.quantile(at)];
            expect(given).toBeGreaterThanOrEqual(wanted);
            expect(given - wanted).toBeLessThanOrEqual(wanted / 128);
          }
          expect(histogram.largest).toBe(Math.max(...values));
          expect(histogram.count).toBe(values.length);
        },
      ),
    );
  });

  test('is exact below 128 and at its ends', () => {
    const histogram = filled([0, 1, 64, 127]);
    expect([0.25, 0.5, 0.75, 1].map((share) => histogram.quantile(share))).toEqual([0, 1, 64, 127]);
    const largest = filled([Number.MAX_SAFE_INTEGER, 2 ** 60]);
    expect(largest.quantile(1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('counts the ninth of ten as its 90 %, though 0.9 × 10 is more than 9 in binary', () => {
    expect(filled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).quantile(0.9)).toBe(9);
  });

  test('cuts fractions off, takes what is below zero as zero, and says 0 of nothing', () => {
    expect(filled([2.9, -1]).quantile(1)).toBe(2);
    expect(filled([-1]).largest).toBe(0);
    expect(new Histogram().quantile(0.5)).toBe(0);
    expect(new Histogram().mean).toBe(0);
  });

  test('is as new once it is cleared', () => {
    const histogram = filled([5, 6]);
    histogram.clear();
    histogram.record(3);
    expect([histogram.count, histogram.mean, histogram.largest, histogram.quantile(1)]).toEqual([1, 3, 3, 3]);
  });
});
