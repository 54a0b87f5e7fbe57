/** Counters: rows and names do not touch each other, and every row of the memory can be used. */
import { describe, expect, test } from 'vitest';
import { COUNTER_ROWS_MAX, COUNTERS, Counters, countersMemory } from '../../src/runtime/counters.ts';

describe('counters', () => {
  test('each row has every counter for itself', () => {
    const memory = countersMemory();
    for (let row = 0; row < COUNTER_ROWS_MAX; row++) {
      const counters = new Counters(memory, row);
      for (const [index, name] of COUNTERS.entries()) counters.set(name, row * 1_000 + index);
    }
    new Counters(memory, 5).add('requests', 0.5);
    new Counters(memory, 6).clear();
    for (let row = 0; row < COUNTER_ROWS_MAX; row++) {
      const counters = new Counters(memory, row);
      for (const [index, name] of COUNTERS.entries()) {
        const plus = row === 5 && name === 'requests' ? 0.5 : 0;
        expect(counters.get(name)).toBe(row === 6 ? 0 : row * 1_000 + index + plus);
      }
    }
    expect(() => new Counters(memory, COUNTER_ROWS_MAX)).toThrow(RangeError);
    expect(new Set(COUNTERS).size).toBe(COUNTERS.length);
  });
});
