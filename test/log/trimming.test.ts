import { expect, test } from 'vitest';
import { removeRetired } from '../../src/log/deletions.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { batchOf, DIRECTORY, NOW } from './fixture.ts';
import { Opened } from './opened.ts';

const SIZE = batchOf({ valueBytes: 100 }).bytes.length;
const THREE_EACH = { segmentBytes: 3 * SIZE };

/** Twelve batches in four segments, ten seconds apart. */
function filled(changes = {}): Opened {
  const opened = new Opened({ config: { ...THREE_EACH, timestampAfterMaxMs: 1_000_000, ...changes } });
  for (let i = 0; i < 12; i++) {
    opened.append(
      { valueBytes: 100, timestamp: NOW + i * 10_000, producerId: 1, producerEpoch: 0, baseSequence: i },
      i >> 2,
    );
  }
  return opened;
}

test('by age: whole segments, once their youngest record is too old', () => {
  const opened = filled({ retentionMs: 1_000 });
  expect(opened.log.retention(NOW + 21_000)).toBe(0);
  expect(opened.log.retention(NOW + 21_001)).toBe(1);
  expect(opened.log).toMatchObject({ logStartOffset: 3, segmentCount: 3 });
  expect(opened.locate(2).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  expect(opened.log.epochs.entries).toEqual([
    { epoch: 0, startOffset: 3 },
    { epoch: 1, startOffset: 4 },
    { epoch: 2, startOffset: 8 },
  ]);
});

test('by size: as many as leave at least the limit', () => {
  const opened = filled({ retentionMs: -1, retentionBytes: 6 * SIZE + 1 });
  expect(opened.log.retention(NOW)).toBe(1);
  expect(opened.log.sizeBytes).toBe(9 * SIZE);
  opened.log.config = { ...opened.log.config, retentionBytes: 6 * SIZE };
  expect(opened.log.retention(NOW)).toBe(1);
  expect(opened.log.retention(NOW)).toBe(0);
});

test('never beyond the high watermark', () => {
  const opened = filled({ retentionMs: 1 });
  expect(opened.log.retention(NOW + 10_000_000, 5)).toBe(1);
  expect(opened.log.retention(NOW + 10_000_000, 6)).toBe(1);
  expect(opened.log.logStartOffset).toBe(6);
});

test('the active segment goes last, and an empty one takes its place', () => {
  const opened = filled({ retentionMs: 1 });
  expect(opened.log.retention(NOW + 10_000_000)).toBe(4);
  expect(opened.log).toMatchObject({ logStartOffset: 12, logEndOffset: 12, segmentCount: 1, sizeBytes: 0 });
  expect(opened.log.retention(NOW + 20_000_000)).toBe(0);
  expect(opened.names('.log')).toEqual(['00000000000000000012.log']);
  expect(opened.append({}).baseOffset).toBe(12);
  expect(opened.locate(12).length).toBeGreaterThan(0);
  const again = opened.kill();
  expect(again.log).toMatchObject({ logStartOffset: 12, logEndOffset: 13 });
});

test('compacted topics keep everything but what was deleted by request', () => {
  const opened = filled({ retentionMs: 1, retentionBytes: 1, cleanupPolicy: 'compact' });
  expect(opened.log.retention(NOW + 10_000_000)).toBe(0);
  opened.log.advanceLogStart(7);
  expect(opened.log.logStartOffset).toBe(7);
  expect(opened.log.retention(NOW + 10_000_000)).toBe(2);
  expect(opened.log).toMatchObject({ logStartOffset: 7, segmentCount: 2 });
});

test('files are renamed, and due when the delay is over', () => {
  const opened = filled({ retentionMs: 1_000, fileDeleteDelayMs: 500 });
  opened.log.retention(NOW + 21_001);
  expect(opened.names('.deleted')).toEqual([
    '00000000000000000000.index.deleted',
    '00000000000000000000.log.deleted',
    '00000000000000000000.timeindex.deleted',
  ]);
  expect(opened.log.nextDeletionMs).toBe(NOW + 21_501);
  expect(opened.log.dueDeletions(NOW + 21_500)).toEqual([]);
  const due = opened.log.dueDeletions(NOW + 21_501);
  expect(due.length).toBe(3);
  for (const path of due) removeRetired(opened.disk, path);
  for (const path of due) removeRetired(opened.disk, path);
  expect(opened.names('.deleted')).toEqual([]);
  expect(opened.log.nextDeletionMs).toBe(Number.POSITIVE_INFINITY);
});

test('retired directories go with all they hold', () => {
  const opened = filled();
  const { path } = opened.log.remove(NOW);
  removeRetired(opened.disk, path);
  expect(opened.disk.list('/data')).toEqual([]);
});

test('cut back: to a batch, into a batch, to a segment, to the start, below it', () => {
  for (const [offset, end] of [
    [12, 12],
    [11, 11],
    [10, 10],
    [9, 9],
    [8, 8],
    [6, 6],
    [1, 1],
    [0, 0],
  ] as const) {
    const opened = filled();
    const before = opened.read(0).bytes;
    opened.log.truncateTo(offset, NOW);
    expect(opened.log.logEndOffset).toBe(end);
    expect(opened.log.endPosition.offset).toBe(end);
    expect(opened.log.endPosition.cumulativeBytes).toBe(end * SIZE);
    for (let at = 0; at < end; at++) expect(opened.read(at).bytes.length).toBeGreaterThan(0);
    if (end >= 3) expect(opened.read(0).bytes).toEqual(before);
    const last = opened.log.epochs.entries.at(-1);
    expect(last?.startOffset ?? -1).toBeLessThan(Math.max(end, 0));
    // The producer's state went back, too: its next sequence is the one that was cut.
    const next = { valueBytes: 100, producerId: 1, producerEpoch: 0, baseSequence: end };
    expect(opened.append(next, 9).baseOffset).toBe(end);
    const again = opened.kill({ config: THREE_EACH });
    expect(again.log.logEndOffset).toBe(end + 1);
    expect(again.log.epochs.latest).toBe(9);
  }
});

test('cut into a batch of many records: the whole batch goes', () => {
  const opened = new Opened();
  for (let i = 0; i < 4; i++) opened.append({ count: 10 });
  opened.log.truncateTo(25, NOW);
  expect(opened.log.logEndOffset).toBe(20);
  expect(opened.append({}).baseOffset).toBe(20);
});

test('a cut takes back what was durable, and a sync planned before it does not count', () => {
  const opened = filled();
  opened.sync();
  expect(opened.log.recoveryPoint).toBe(12);
  opened.append({ valueBytes: 100 });
  const plan = opened.log.syncPlan();
  opened.log.truncateTo(4, NOW);
  expect(opened.log.recoveryPoint).toBe(4);
  for (let i = 0; i < 10; i++) opened.append({ valueBytes: 100 });
  for (const slot of plan.slots) opened.world.files.release(slot);
  opened.log.synced(plan);
  expect(opened.log.recoveryPoint).toBe(4);
  opened.sync();
  expect(opened.log.recoveryPoint).toBe(14);
});

test('cut below the start: the log begins again at the offset', () => {
  const opened = filled({ retentionMs: 1_000 });
  opened.log.retention(NOW + 55_000);
  expect(opened.log.logStartOffset).toBe(6);
  opened.log.truncateTo(2, NOW);
  expect(opened.log).toMatchObject({ logStartOffset: 2, logEndOffset: 2, segmentCount: 1 });
  expect(opened.append({}).baseOffset).toBe(2);
  expect(opened.disk.exists(`${DIRECTORY}/00000000000000000002.log`)).toBe(true);
});
