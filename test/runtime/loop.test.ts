/** A thread's round, and what its counters say of how long it slept. */
import { expect, test } from 'vitest';
import { Timer, Timers } from '../../src/base/timers.ts';
import { Counters, countersMemory } from '../../src/runtime/counters.ts';
import { Loop } from '../../src/runtime/loop.ts';
import type { Role } from '../../src/runtime/role.ts';

/** Does nothing, and says how often it was asked. */
class Quiet implements Role {
  readonly name = 'q0';
  drained = 0;
  counted = 0;
  work = 0;

  drain(): boolean {
    this.drained += 1;
    if (this.work > 0) this.work -= 1;
    return false;
  }

  settle(): boolean {
    return false;
  }

  deadline(): number {
    return Number.POSITIVE_INFINITY;
  }

  pending(): boolean {
    return this.work > 0;
  }

  control(): void {}

  stop(): void {}

  count(): void {
    this.counted += 1;
  }
}

function made() {
  const time = { now: 5_000 };
  const loop = new Loop({ now: () => time.now, monotonic: () => time.now }, new Timers(time.now));
  const counters = new Counters(countersMemory(), 0);
  const role = new Quiet();
  loop.add(role, counters);
  return { time, loop, role, counters };
}

test('a round goes on while there is work, and not for ever', () => {
  const { loop, role } = made();
  loop.round();
  expect(role.drained).toBe(1);
  role.work = 3;
  loop.round();
  expect(role.drained).toBe(4);
  role.work = 1_000;
  loop.round();
  expect(role.drained).toBeLessThan(50);
});

test('what its garbage collector took is counted, for each role', () => {
  const pauses = {
    count: 0,
    totalMs: 0,
    longestMs: 0,
    look: () => Object.assign(pauses, { count: 3, totalMs: 7, longestMs: 4 }),
  };
  const loop = new Loop({ now: () => 0, monotonic: () => 0 }, new Timers(0), pauses);
  const counters = new Counters(countersMemory(), 0);
  loop.add(new Quiet(), counters);
  loop.count();
  const names = ['gcPauses', 'gcPauseMs', 'gcPauseLongestMs'] as const;
  expect(names.map((name) => counters.get(name))).toEqual([3, 7, 4]);
});

test('what it slept is counted, and its share of the last minute', () => {
  const { time, loop, counters } = made();
  const turn = (workMs: number, sleepMs: number): void => {
    loop.round();
    time.now += workMs;
    expect(loop.patience(10_000)).toBeGreaterThanOrEqual(0);
    time.now += sleepMs;
    loop.slept(time.now);
  };
  for (let index = 0; index < 10; index++) turn(100, 300);
  loop.count();
  expect(['rounds', 'sleeps', 'sleptMs', 'idleShare'].map((name) => counters.get(name as 'rounds'))).toEqual([
    10, 10, 3_000, 0.75,
  ]);
  // What was long ago does not count any more.
  for (let index = 0; index < 1_000; index++) turn(90, 10);
  loop.count();
  expect(counters.get('idleShare')).toBeCloseTo(0.1, 2);
  for (let index = 0; index < 100; index++) turn(0, 1_000);
  loop.count();
  expect(counters.get('idleShare')).toBe(1);
});

test('patience ends with the next timer, and a role that is gone is not counted', () => {
  const { time, loop, role } = made();
  loop.timers.set(new Timer(() => {}), time.now + 100);
  expect(loop.patience(1_000)).toBeGreaterThan(0);
  expect(loop.patience(1_000)).toBeLessThanOrEqual(110);
  loop.remove(role);
  const { counted } = role;
  loop.count();
  expect(role.counted).toBe(counted);
});
