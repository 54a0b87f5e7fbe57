import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { encodeBatch } from '../../src/wire/records.ts';
import { kernels, NOW } from './fixture.ts';
import { Opened } from './opened.ts';

const WIDE = { timestampAfterMaxMs: Number.MAX_SAFE_INTEGER, segmentBytes: 700, indexIntervalBytes: 150 };

function batchAt(timestamps: readonly number[]) {
  const records = timestamps.map((timestamp) => ({ timestamp, key: null, value: new Uint8Array(9) }));
  return memoryOver(encodeBatch({ records }, kernels));
}

test('the first record at or after a timestamp, in every order of timestamps', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const opened = new Opened({ config: WIDE });
    const all: number[] = [];
    const epochs: number[] = [];
    for (let i = 0; i < 40; i++) {
      const timestamps = Array.from({ length: 1 + random.below(4) }, () => NOW + i * 3 + random.below(60) - 30);
      opened.append(batchAt(timestamps), i >> 4);
      all.push(...timestamps);
      epochs.push(...timestamps.map(() => i >> 4));
    }
    const start = random.below(10);
    opened.log.advanceLogStart(start);
    for (let wanted = NOW - 40; wanted < NOW + 200; wanted += 3) {
      const end = random.below(all.length + 1);
      const offset = all.findIndex((timestamp, at) => at >= start && timestamp >= wanted);
      const expected =
        offset < 0 || offset >= end ? null : { offset, timestamp: all[offset], leaderEpoch: epochs[offset] };
      expect(opened.log.offsetForTimestamp(wanted, end)).toEqual(expected);
    }
    const newestFrom = (first: number) => {
      const timestamp = Math.max(...all.slice(first));
      const offset = all.indexOf(timestamp, first);
      return { offset, timestamp, leaderEpoch: epochs[offset] };
    };
    expect(opened.log.maxTimestamp()).toEqual(newestFrom(start));
    const deep = random.below(all.length);
    opened.log.advanceLogStart(deep);
    expect(opened.log.maxTimestamp()).toEqual(newestFrom(Math.max(start, deep)));
    const again = opened.kill({ config: WIDE });
    expect(again.log.maxTimestamp()).toEqual(newestFrom(0));
    expect(again.log.offsetForTimestamp(0, all.length)?.offset).toBe(0);
  }
});

test('compressed batches are looked into', () => {
  const opened = new Opened();
  opened.append({ count: 10, gzip: true, timestamp: NOW });
  opened.append({ count: 10, gzip: true, timestamp: NOW + 100 });
  expect(opened.log.offsetForTimestamp(NOW + 7, 20)).toEqual({ offset: 7, timestamp: NOW + 7, leaderEpoch: 0 });
  expect(opened.log.offsetForTimestamp(NOW + 10, 20)).toEqual({ offset: 10, timestamp: NOW + 100, leaderEpoch: 0 });
  expect(opened.log.maxTimestamp()).toEqual({ offset: 19, timestamp: NOW + 109, leaderEpoch: 0 });
});

test('log append time is the same for a whole batch', () => {
  const opened = new Opened({ config: { timestampType: 'LogAppendTime' } });
  opened.append({ count: 5 });
  opened.now = NOW + 50;
  opened.append({ count: 5 });
  expect(opened.log.offsetForTimestamp(NOW + 1, 10)).toEqual({ offset: 5, timestamp: NOW + 50, leaderEpoch: 0 });
  expect(opened.log.maxTimestamp()).toEqual({ offset: 5, timestamp: NOW + 50, leaderEpoch: 0 });
});

test('what is staged is written before it is asked for', () => {
  const opened = new Opened();
  opened.stage({ count: 3 });
  expect(opened.log.offsetForTimestamp(NOW + 1, 3)).toEqual({ offset: 1, timestamp: NOW + 1, leaderEpoch: 0 });
});

test('nothing is found in an empty log, nor among records without timestamps', () => {
  const opened = new Opened();
  expect(opened.log.maxTimestamp()).toBeNull();
  expect(opened.log.offsetForTimestamp(0, 0)).toBeNull();
  opened.append(batchAt([-1, -1]));
  expect(opened.log.maxTimestamp()).toBeNull();
  expect(opened.log.offsetForTimestamp(0, 2)).toBeNull();
});
