import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { encodeBatch } from '../../src/wire/records.ts';
import { batchOf, kernels, NOW } from './fixture.ts';
import { Opened } from './opened.ts';

test('a segment ends before the batch that would make it too large', () => {
  const size = batchOf({ valueBytes: 100 }).bytes.length;
  const opened = new Opened({ config: { segmentBytes: 3 * size } });
  for (let i = 0; i < 7; i++) opened.append({ valueBytes: 100 });
  expect(opened.names('.log')).toEqual([0, 3, 6].map((base) => `${String(base).padStart(20, '0')}.log`));
  expect(opened.names('.snapshot')).toEqual([3, 6].map((base) => `${String(base).padStart(20, '0')}.snapshot`));
});

test('a batch as large as a segment has one for itself', () => {
  const size = batchOf({ valueBytes: 1_000 }).bytes.length;
  const opened = new Opened({ config: { segmentBytes: size } });
  opened.append({ valueBytes: 10 });
  opened.append({ valueBytes: 1_000 });
  opened.append({ valueBytes: 10 });
  expect(opened.log.segmentCount).toBe(3);
});

test('a segment ends when the next record is too much younger than its first', () => {
  const opened = new Opened({ config: { segmentMs: 1_000, timestampAfterMaxMs: 10_000 } });
  opened.append({ timestamp: NOW });
  opened.append({ timestamp: NOW + 1_000 });
  expect(opened.log.segmentCount).toBe(1);
  opened.append({ timestamp: NOW + 1_001 });
  expect(opened.log.segmentCount).toBe(2);
  opened.append({ timestamp: NOW - 5_000 });
  opened.append({ timestamp: NOW + 2_001 });
  expect(opened.log.segmentCount).toBe(2);
  const again = opened.reopen({ config: { segmentMs: 1_000, timestampAfterMaxMs: 10_000 } });
  again.append({ timestamp: NOW + 2_002 });
  expect(again.log.segmentCount).toBe(3);
});

test('records without timestamps age by the clock', () => {
  const opened = new Opened({ config: { segmentMs: 1_000 } });
  opened.append({ timestamp: -1, count: 1 });
  opened.now = NOW + 1_000;
  opened.append({ timestamp: -1, count: 1 });
  expect(opened.log.segmentCount).toBe(1);
  opened.now = NOW + 1_001;
  opened.append({ timestamp: -1, count: 1 });
  expect(opened.log.segmentCount).toBe(2);
});

test('jitter lets segments end earlier, each at another time, never later', () => {
  const ages = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const opened = new Opened({ config: { segmentMs: 1_000, segmentJitterMs: 500 }, seed });
    opened.append({ timestamp: NOW });
    let age = 1;
    for (; opened.log.segmentCount === 1; age += 10) opened.append({ timestamp: NOW + age });
    expect(age).toBeGreaterThan(490);
    expect(age).toBeLessThan(1_020);
    ages.add(age);
  }
  expect(ages.size).toBeGreaterThan(10);
});

test('a full index ends a segment; the time index keeps a place for its last entry', () => {
  for (const [segmentIndexBytes, entries] of [
    [36, 2],
    [60, 4],
  ] as const) {
    const opened = new Opened({ config: { segmentIndexBytes, indexIntervalBytes: 0 } });
    for (let i = 0; opened.log.segmentCount === 1; i++) opened.append({ timestamp: NOW + i });
    // The first batch of a segment is never indexed: a search begins at 0 anyway.
    expect(Number(opened.names('.log')[1]?.slice(0, 20))).toBe(entries + 1);
    const times = opened.disk.bytesOf('/data/orders-0/00000000000000000000.timeindex');
    expect(times.length).toBeLessThanOrEqual(segmentIndexBytes);
    const index = opened.disk.bytesOf('/data/orders-0/00000000000000000000.index');
    expect(index.length).toBe(entries * 8);
  }
});

test('offsets that do not fit relative to the segment begin a new one', () => {
  const opened = new Opened({ config: { cleanupPolicy: 'compact' } });
  opened.append({});
  const far = memoryOver(batchOf({ partitionLeaderEpoch: 0 }).bytes);
  batch.setBaseOffset(far.view, 0, 0x7fffffff);
  opened.append(far, -1, 'replica');
  expect(opened.log.segmentCount).toBe(1);
  const farther = memoryOver(batchOf({ partitionLeaderEpoch: 0 }).bytes);
  batch.setBaseOffset(farther.view, 0, 0x7fffffff + 1);
  opened.append(farther, -1, 'replica');
  expect(opened.log.segmentCount).toBe(2);
  expect(batch.baseOffset(opened.read(0x7fffffff, 1).view, 0)).toBe(0x7fffffff);
  expect(batch.baseOffset(opened.read(0x80000000, 1).view, 0)).toBe(0x80000000);
  expect(batch.baseOffset(opened.read(500, 1).view, 0)).toBe(0x7fffffff);
});

test('offsets beyond 2^32 read and write as they are', () => {
  const start = 5_000_000_000_123;
  const opened = new Opened({ logStartOffset: start, config: { indexIntervalBytes: 100 } });
  for (let i = 0; i < 20; i++) opened.append({ count: 3 });
  expect(opened.names('.log')).toEqual(['00000005000000000123.log']);
  for (let i = 0; i < 60; i++) expect(batch.baseOffset(opened.read(start + i, 1).view, 0)).toBe(start + i - (i % 3));
  expect(opened.kill({ recoveryPoint: start }).log.logEndOffset).toBe(start + 60);
});

test('an index interval decides how many entries there are, not how much is found', () => {
  const counts = [0, 500, 5_000].map((indexIntervalBytes) => {
    const opened = new Opened({ config: { indexIntervalBytes, segmentIndexBytes: 100_000 } });
    for (let i = 0; i < 200; i++) opened.append({ valueBytes: 40 });
    for (let i = 0; i < 200; i += 7) expect(batch.baseOffset(opened.read(i, 1).view, 0)).toBe(i);
    const again = opened.reopen({ config: { indexIntervalBytes } });
    again.log.close();
    return again.disk.bytesOf('/data/orders-0/00000000000000000000.index').length / 8;
  });
  const size = batchOf({ valueBytes: 40 }).bytes.length;
  expect(counts).toEqual([
    199,
    Math.floor(199 / (Math.floor(500 / size) + 1)),
    Math.floor(199 / (Math.floor(5_000 / size) + 1)),
  ]);
});

test('large batches cost no system call for their index entries', () => {
  const opened = new Opened({ config: { maxMessageBytes: 100_000, segmentIndexBytes: 100_000 } });
  const records = [{ timestamp: NOW, key: null, value: new Uint8Array(10_000) }];
  const bytes = encodeBatch({ records }, kernels);
  opened.append(memoryOver(bytes.slice()));
  const before = opened.disk.calls.get('writeBytes') ?? 0;
  for (let i = 0; i < 100; i++) opened.append(memoryOver(bytes.slice()));
  expect((opened.disk.calls.get('writeBytes') ?? 0) - before).toBe(0);
  expect(batch.baseOffset(opened.read(57, 1).view, 0)).toBe(57);
});
