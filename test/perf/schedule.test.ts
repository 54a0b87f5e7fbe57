import { describe, expect, test } from 'vitest';
import { FixedRate, FlatOut, scheduleOf } from '../../src/perf/schedule.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** What a lane starts at a moment, until nothing more is due. */
function dueNow(schedule: FixedRate | FlatOut, lane: number, nowMs: number): number[] {
  const due: number[] = [];
  for (;;) {
    const dueMs = schedule.next(lane, nowMs);
    if (Number.isNaN(dueMs)) return due;
    due.push(dueMs);
  }
}

describe('a fixed rate', () => {
  test('makes every request due at its own time, and the lanes take turns', () => {
    const schedule = new FixedRate({ startMs: 1000, warmupMs: 0, durationMs: 50, requests: FOREVER }, 100, 2);
    expect(schedule.total).toBe(5);
    expect(dueNow(schedule, 0, 999)).toEqual([]);
    expect(dueNow(schedule, 0, 1000)).toEqual([1000]);
    expect(dueNow(schedule, 1, 1009)).toEqual([]);
    expect(schedule.wakeMs(1000)).toBe(1010);
    expect(dueNow(schedule, 1, 1010)).toEqual([1010]);
    expect(schedule.finished()).toBe(false);
    expect(dueNow(schedule, 0, 2000)).toEqual([1020, 1040]);
    expect(dueNow(schedule, 1, 2000)).toEqual([1030]);
    expect(schedule.finished()).toBe(true);
    expect(schedule.wakeMs(2000)).toBe(FOREVER);
  });

  test('omits nothing when a broker stands still: what was due meanwhile counts from then', () => {
    const schedule = new FixedRate({ startMs: 0, warmupMs: 0, durationMs: FOREVER, requests: 1000 }, 1000, 1);
    dueNow(schedule, 0, 100);
    const late = dueNow(schedule, 0, 600);
    expect(late).toHaveLength(500 - 1 + 1);
    expect(Math.max(...late.map((dueMs) => 600 - dueMs))).toBe(499);
  });

  test('adds the warm-up to what is measured', () => {
    const schedule = new FixedRate({ startMs: 0, warmupMs: 20, durationMs: FOREVER, requests: 3 }, 100, 1);
    expect(schedule.measureMs).toBe(20);
    expect(dueNow(schedule, 0, 1e6)).toEqual([0, 10, 20, 30, 40]);
  });

  test('ends with whichever comes first, time or number', () => {
    const both = { startMs: 0, warmupMs: 0, durationMs: 1000, requests: 7 };
    expect(new FixedRate(both, 100, 1).total).toBe(7);
    expect(new FixedRate({ ...both, durationMs: 30 }, 100, 1).total).toBe(3);
  });
});

describe('flat out', () => {
  test('is due whenever there is room, until the time is over', () => {
    const schedule = new FlatOut({ startMs: 0, warmupMs: 10, durationMs: 90, requests: FOREVER });
    expect(schedule.next(0, 5)).toBe(5);
    expect(schedule.next(1, 99)).toBe(99);
    expect(schedule.next(0, 100)).toBeNaN();
    expect([schedule.finished(99), schedule.finished(100)]).toEqual([false, true]);
  });

  test('does not count requests of the warm-up', () => {
    const schedule = new FlatOut({ startMs: 0, warmupMs: 10, durationMs: FOREVER, requests: 2 });
    schedule.next(0, 9);
    expect(dueNow(schedule, 0, 10)).toEqual([10, 10]);
    expect(schedule.finished(10)).toBe(true);
  });
});

test('records are rounded up to whole requests, and a rate of records is one of requests', () => {
  const demand = { rate: 500, warmupMs: 0, durationMs: FOREVER, records: 101 };
  const schedule = scheduleOf(demand, 50, 1, 0) as FixedRate;
  expect(schedule.total).toBe(3);
  expect(schedule.wakeMs(0)).toBe(100);
});
