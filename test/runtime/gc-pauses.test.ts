import { expect, test } from 'vitest';
import { GcPauses } from '../../src/runtime/gc-pauses.ts';

/** Far more than any young generation holds. */
const GARBAGE = 20_000_000;

test('pauses are counted from when they are asked for, and once each', () => {
  const pauses = new GcPauses();
  const kept: object[] = [];
  for (let i = 0; i < GARBAGE && pauses.count === 0; i++) {
    kept[i % 1000] = { i };
    if (i % 100_000 === 0) pauses.look();
  }
  const { count, totalMs, longestMs } = pauses;
  expect(count).toBeGreaterThan(0);
  expect(longestMs).toBeGreaterThan(0);
  expect(totalMs).toBeGreaterThanOrEqual(longestMs);
  expect(totalMs).toBeLessThanOrEqual(longestMs * count);
  pauses.look();
  expect(pauses.totalMs - totalMs).toBeLessThanOrEqual(pauses.longestMs * (pauses.count - count));
});
