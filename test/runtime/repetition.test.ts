/** Floods of faults in few lines. */
import { expect, test } from 'vitest';
import { Repetition } from '../../src/runtime/repetition.ts';

test('what happens is said at once, then once a period, and the numbers add up', () => {
  const repetition = new Repetition(1_000);
  expect(repetition.due(0)).toBe(0);
  const said: [now: number, count: number][] = [];
  for (let now = 0; now < 3_500; now += 10) {
    const count = repetition.happened(now);
    if (count > 0) said.push([now, count]);
  }
  expect(said).toEqual([
    [0, 1],
    [1_000, 100],
    [2_000, 100],
    [3_000, 100],
  ]);
  expect(repetition.due(3_999)).toBe(0);
  expect(repetition.due(4_000)).toBe(49);
  expect(repetition.due(9_000)).toBe(0);
  expect(repetition.happened(9_000)).toBe(1);
});
