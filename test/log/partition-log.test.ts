import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { formatUuid } from '../../src/base/uuid.ts';
import { DiskError } from '../../src/log/disk.ts';
import * as batch from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { readRecords } from '../../src/wire/records.ts';
import { batchOf, config, DIRECTORY, kernels, NOW } from './fixture.ts';
import { Opened, TOPIC_ID } from './opened.ts';

const TEXT = new TextDecoder();

function sizeOf(spec: Parameters<typeof batchOf>[0]): number {
  return batchOf(spec).bytes.length;
}

test('a new log makes its files', () => {
  const opened = new Opened();
  expect(opened.log.logEndOffset).toBe(0);
  expect(opened.names()).toEqual([
    '00000000000000000000.index',
    '00000000000000000000.log',
    '00000000000000000000.timeindex',
    'partition.metadata',
  ]);
  const metadata = TEXT.decode(opened.disk.bytesOf(`${DIRECTORY}/partition.metadata`));
  expect(metadata).toBe(`version: 0\ntopic_id: ${formatUuid(TOPIC_ID)}`);
});

test('batches get their offsets and their epoch, and a CRC that still holds', () => {
  const opened = new Opened();
  expect(opened.append({ count: 3 }, 4)).toEqual({
    errorCode: 0,
    baseOffset: 0,
    endOffset: 3,
    logAppendTime: -1,
    duplicate: false,
  });
  expect(opened.append({ count: 2 }, 5).baseOffset).toBe(3);
  const { view, bytes } = opened.read(3);
  expect(batch.baseOffset(view, 0)).toBe(3);
  expect(batch.partitionLeaderEpoch(view, 0)).toBe(5);
  const crc = kernels.crc32c({ id: -1, bytes, view }, batch.ATTRIBUTES_AT, bytes.length - batch.ATTRIBUTES_AT);
  expect(batch.crc(view, 0)).toBe(crc);
  expect(opened.log.epochs.entries).toEqual([
    { epoch: 4, startOffset: 0 },
    { epoch: 5, startOffset: 3 },
  ]);
  expect(TEXT.decode(opened.disk.bytesOf(`${DIRECTORY}/leader-epoch-checkpoint`))).toBe('0\n2\n4 0\n5 3\n');
});

test('a fetch at every offset of every batch begins with the batch that holds it', () => {
  const opened = new Opened({ config: { segmentBytes: 2_000, indexIntervalBytes: 200 } });
  const bases: number[] = [];
  for (let i = 0; i < 60; i++) {
    const { baseOffset, endOffset } = opened.append({ count: 1 + (i % 4), valueBytes: (i * 13) % 90 });
    for (let offset = baseOffset; offset < endOffset; offset++) bases.push(baseOffset);
  }
  expect(opened.log.segmentCount).toBeGreaterThan(3);
  for (const [offset, base] of bases.entries()) {
    const { view, bytes } = opened.read(offset, 1);
    expect(batch.baseOffset(view, 0)).toBe(base);
    expect(bytes.length).toBe(batch.sizeInBytes(view, 0));
  }
  const segments = opened.names('.log').map((name) => Number(name.slice(0, 20)));
  for (const base of segments) expect(batch.baseOffset(opened.read(base, 1).view, 0)).toBe(base);
});

test('what is staged is not read before it is written, and goes out in one write', () => {
  const opened = new Opened();
  const before = opened.disk.calls.get('write') ?? 0;
  for (let i = 0; i < 5; i++) expect(opened.stage({ count: 2 }).baseOffset).toBe(i * 2);
  expect(opened.log.logEndOffset).toBe(10);
  expect(opened.log.endPosition.offset).toBe(0);
  expect(opened.locate(0)).toMatchObject({ errorCode: 0, slot: -1, length: 0 });
  expect(opened.locate(1).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  opened.log.write();
  expect((opened.disk.calls.get('write') ?? 0) - before).toBe(1);
  expect(opened.log.endPosition.offset).toBe(10);
  expect(readRecords(opened.read(9), 0).map((record) => record.offset)).toEqual([8, 9]);
});

test('a section from shared memory is written from where it lies', () => {
  const opened = new Opened();
  const one = batchOf({ count: 2 });
  const bytes = new Uint8Array(new SharedArrayBuffer(one.bytes.length + 100));
  bytes.set(one.bytes, 50);
  const memory = { id: -1, bytes, view: new DataView(bytes.buffer) };
  opened.log.stage(memory, 50, one.bytes.length, 0, NOW, opened.result, 'client');
  expect(opened.result.errorCode).toBe(0);
  opened.log.write();
  expect(opened.read(0).bytes).toEqual(bytes.slice(50, 50 + one.bytes.length));
});

test('pieces of one memory are joined where they touch, and only there', () => {
  const opened = new Opened();
  const [one, two, three] = [1, 2, 3].map((count) => batchOf({ count, valueBytes: 20 * count }).bytes) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const bytes = new Uint8Array(1_000).fill(0xee);
  bytes.set(one, 0);
  bytes.set(two, one.length);
  bytes.set(three, 700);
  const memory = memoryOver(bytes);
  for (const [at, length] of [
    [700, three.length],
    [0, one.length],
    [one.length, two.length],
  ] as const) {
    opened.log.stage(memory, at, length, 0, NOW, opened.result, 'client');
    expect(opened.result.errorCode).toBe(ERROR.NONE);
  }
  opened.log.write();
  const touching = bytes.slice(0, one.length + two.length);
  expect(opened.read(0).bytes).toEqual(Uint8Array.from([...bytes.slice(700, 700 + three.length), ...touching]));
  expect(opened.kill().log.logEndOffset).toBe(6);
});

test('bounds of a fetch: budget, first batch, end of the segment, end of what may be seen', () => {
  const opened = new Opened({ config: { segmentBytes: 1_000 } });
  const size = sizeOf({ valueBytes: 100 });
  const ends = Array.from({ length: 12 }, () => {
    opened.append({ valueBytes: 100 });
    return opened.log.endPosition;
  });
  const perSegment = Math.floor(1_000 / size);
  expect(opened.locate(0, 10_000_000).length).toBe(perSegment * size);
  expect(opened.locate(0, 1, false).length).toBe(1);
  expect(opened.locate(0, 0, false)).toMatchObject({ slot: -1, length: 0, firstBatchBytes: size });
  expect(opened.locate(0, 0, true)).toMatchObject({ length: size, firstBatchBytes: size });
  expect(opened.locate(0, size + 5).length).toBe(size + 5);
  const end = ends[2];
  expect(end).toBeDefined();
  expect(opened.locate(1, 10_000, true, end)).toMatchObject({ position: size, length: 2 * size });
  expect(opened.locate(3, 10_000, true, end)).toMatchObject({ errorCode: 0, slot: -1, length: 0 });
  expect(opened.locate(12)).toMatchObject({ errorCode: 0, slot: -1, length: 0 });
  expect(opened.locate(13).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  expect(opened.locate(-1).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  opened.log.advanceLogStart(5);
  expect(opened.locate(4).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  expect(opened.locate(5).errorCode).toBe(ERROR.NONE);
});

test('positions count bytes across segments', () => {
  const opened = new Opened({ config: { segmentBytes: 1_000 } });
  const size = sizeOf({ count: 2, valueBytes: 100 });
  for (let i = 0; i < 20; i++) opened.append({ count: 2, valueBytes: 100 });
  expect(opened.log.endPosition.cumulativeBytes).toBe(20 * size);
  expect(opened.log.sizeBytes).toBe(20 * size);
  for (let i = 0; i < 20; i++) {
    expect(opened.log.positionOf(i * 2).cumulativeBytes).toBe(i * size);
    expect(opened.log.positionOf(i * 2 + 1)).toEqual({ ...opened.log.positionOf(i * 2), offset: i * 2 + 1 });
  }
  expect(opened.log.positionOf(40)).toEqual(opened.log.endPosition);
});

test('a lease outlives the file of its segment', () => {
  const opened = new Opened({ config: { segmentBytes: 500, retentionMs: 1_000, fileDeleteDelayMs: 50 } });
  for (let i = 0; i < 10; i++) opened.append({ valueBytes: 200 });
  const plan = opened.locate(0);
  expect(opened.log.retention(NOW + 2_000)).toBeGreaterThan(0);
  expect(opened.locate(0).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  for (const path of opened.log.dueDeletions(NOW + 3_000)) opened.disk.remove(path);
  const into = batchOf({ valueBytes: 200 });
  const read = opened.disk.read(opened.world.table.descriptor(plan.slot), plan.position, into, 0, into.bytes.length);
  expect(read).toBe(into.bytes.length);
  expect(batch.baseOffset(into.view, 0)).toBe(0);
  opened.world.files.release(plan.slot);
  expect(opened.world.table.leased()).toBe(0);
});

test('LogAppendTime replaces the timestamps, and says which', () => {
  const opened = new Opened({ config: { timestampType: 'LogAppendTime' } });
  opened.now = NOW + 77;
  expect(opened.append({ count: 3, timestamp: 5 }).logAppendTime).toBe(NOW + 77);
  const memory = opened.read(0);
  expect(batch.isLogAppendTime(memory.view, 0)).toBe(true);
  expect(batch.maxTimestamp(memory.view, 0)).toBe(NOW + 77);
  const crcLength = memory.bytes.length - batch.ATTRIBUTES_AT;
  expect(kernels.crc32c(memory, batch.ATTRIBUTES_AT, crcLength)).toBe(batch.crc(memory.view, 0));
  expect(readRecords(memory, 0).map((record) => record.timestamp)).toEqual([NOW + 77, NOW + 77, NOW + 77]);
});

test('a wrong largest timestamp is put right', () => {
  const opened = new Opened();
  const memory = batchOf({ count: 4 });
  batch.setMaxTimestamp(memory.view, 0, NOW - 1_000);
  const length = memory.bytes.length - batch.ATTRIBUTES_AT;
  batch.setCrc(memory.view, 0, kernels.crc32c(memory, batch.ATTRIBUTES_AT, length));
  opened.append(memory);
  const stored = opened.read(0);
  expect(batch.maxTimestamp(stored.view, 0)).toBe(NOW + 3);
  expect(kernels.crc32c(stored, batch.ATTRIBUTES_AT, length)).toBe(batch.crc(stored.view, 0));
});

test('a failed write breaks the log for good', () => {
  const opened = new Opened();
  opened.append({});
  opened.stage({});
  opened.disk.fault = (operation) => (operation === 'write' ? 'ENOSPC' : null);
  expect(() => opened.log.write()).toThrow(DiskError);
  opened.disk.fault = null;
  expect(opened.log.broken).toMatchObject({ code: 'ENOSPC' });
  expect(() => opened.log.write()).toThrow('ENOSPC');
  expect(opened.stage({}).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(opened.locate(0).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(() => opened.log.close()).toThrow('ENOSPC');
  const again = opened.kill();
  expect(again.log.logEndOffset).toBe(1);
  expect(again.append({}).baseOffset).toBe(1);
});

test('a disk that fails while a segment begins is said in the answer, and by the next write', () => {
  const opened = new Opened({ config: { segmentBytes: 500 } });
  opened.append({ valueBytes: 300 });
  opened.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('1.log') ? 'EMFILE' : null);
  expect(opened.stage({ valueBytes: 300 }).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(() => opened.log.write()).toThrow('EMFILE');
});

test('a failed sync breaks the log, too', () => {
  const opened = new Opened();
  opened.append({});
  opened.log.outOfService(new DiskError('EIO', 'sync', 'file'));
  expect(opened.stage({}).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(opened.log.recoveryPoint).toBe(0);
});

test('a sync covers finished segments and their indexes, small files and directories, and moves the recovery point', () => {
  const opened = new Opened({ config: { segmentBytes: 500 } });
  for (let i = 0; i < 6; i++) opened.append({ valueBytes: 300 });
  const paths: string[] = [];
  opened.disk.fault = (operation, path) => {
    if (operation === 'sync') paths.push(path);
    return null;
  };
  opened.sync();
  const names = paths.map((path) => path.replace(`${DIRECTORY}/`, ''));
  for (let base = 0; base < 5; base++) {
    for (const suffix of ['log', 'index', 'timeindex']) expect(names).toContain(`0000000000000000000${base}.${suffix}`);
  }
  expect(names).toContain('00000000000000000005.log');
  expect(names).toContain('leader-epoch-checkpoint');
  expect(names).toContain('partition.metadata');
  expect(paths).toContain(DIRECTORY);
  expect(paths).toContain('/data');
  expect(opened.log.recoveryPoint).toBe(6);
  paths.length = 0;
  opened.append({});
  opened.sync();
  expect(paths.map((path) => path.replace(`${DIRECTORY}/`, ''))).toEqual(['00000000000000000005.log']);
});

test('the sync of finished segments leaves the active one alone, and is none when another has covered them', () => {
  const opened = new Opened({ config: { segmentBytes: 500 } });
  opened.sync();
  opened.append({ valueBytes: 300 });
  opened.append({ valueBytes: 300 });
  const plan = opened.log.finishedSyncPlan();
  const paths = (plan?.slots ?? []).map((slot) => opened.world.table.descriptor(slot));
  // The segment's three files, its directory, and the epochs that came with the first batch.
  expect(paths).toHaveLength(5);
  for (const slot of plan?.slots ?? []) opened.world.files.release(slot);
  if (plan !== null) opened.log.synced(plan);
  expect(opened.log.recoveryPoint).toBe(1);
  expect(opened.log.finishedSyncPlan()).toBeNull();
  opened.append({ valueBytes: 300 });
  opened.sync();
  expect(opened.log.finishedSyncPlan()).toBeNull();
  expect(opened.log.recoveryPoint).toBe(3);
});

test('a clean end syncs what has changed since it was synced, and each directory once', () => {
  const opened = new Opened();
  opened.append({});
  let changed: string[] = [];
  const watch = (disk: typeof opened.disk): void => {
    disk.fault = (operation, path) => {
      if (!['exists', 'list', 'read', 'size', 'readFile', 'close'].includes(operation))
        changed.push(`${operation} ${path}`);
      return null;
    };
  };
  watch(opened.disk);
  opened.log.finish();
  changed = [];
  opened.log.close(new Set(['/data']));
  const syncs = changed.filter((one) => one.startsWith('sync'));
  expect(syncs.filter((one) => one.endsWith(' /data'))).toEqual([]);
  expect(syncs.filter((one) => one.endsWith('.log'))).toHaveLength(1);
  opened.world.files.close();
  const again = new Opened({ disk: opened.disk, recoveryPoint: 1 });
  changed = [];
  again.log.finish();
  again.log.close();
  expect(changed).toEqual([]);
  again.world.files.close();
  const third = new Opened({ disk: opened.disk, recoveryPoint: 1 });
  expect(third.log.logEndOffset).toBe(1);
  third.append({});
  third.sync();
  changed = [];
  third.log.close();
  // The records are durable already.
  expect(
    changed.filter((one) => /^sync .*\.(log|index|timeindex)$/.test(one)).map((one) => one.split('.').at(-1)),
  ).toEqual(['index', 'timeindex']);
});

test('flush.messages and flush.ms ask for a sync', () => {
  const byCount = new Opened({ config: { flushMessages: 3 } });
  byCount.append({ count: 2 });
  expect(byCount.log.flushDue).toBe(false);
  byCount.append({});
  expect(byCount.log.flushDue).toBe(true);
  byCount.sync();
  expect(byCount.log.flushDue).toBe(false);
  const byTime = new Opened({ config: { flushMs: 1_000 } });
  byTime.append({});
  byTime.now += 999;
  byTime.append({});
  expect(byTime.log.flushDue).toBe(false);
  byTime.now += 1;
  byTime.append({});
  expect(byTime.log.flushDue).toBe(true);
});

test('settings change while it runs', () => {
  const opened = new Opened();
  opened.append({ valueBytes: 300 });
  opened.log.config = config({ segmentBytes: 400, maxMessageBytes: 380 });
  opened.append({ valueBytes: 200 });
  expect(opened.log.segmentCount).toBe(2);
  expect(opened.stage({ valueBytes: 1_000 }).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
});

test('a removed partition is renamed as Kafka does, and its leases stay good', () => {
  const opened = new Opened();
  opened.append({});
  const plan = opened.locate(0);
  const deletion = opened.log.remove(NOW);
  expect(deletion.path).toMatch(/^\/data\/orders-0\.[0-9a-f]{32}-delete$/);
  expect(deletion.dueMs).toBe(NOW + 60_000);
  expect(opened.disk.exists(DIRECTORY)).toBe(false);
  expect(opened.stage({}).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
  const into = batchOf({});
  expect(opened.disk.read(opened.world.table.descriptor(plan.slot), 0, into, 0, 20)).toBe(20);
  opened.world.files.release(plan.slot);
  expect(opened.disk.openDescriptors).toBe(0);
});

test('followers take what the leader has: its offsets and epochs, whole batches only', () => {
  const leader = new Opened();
  for (let i = 0; i < 5; i++) leader.append({ count: 2 }, i);
  const section = leader.read(0);
  const follower = new Opened();
  const cut = { ...section, bytes: section.bytes.subarray(0, section.bytes.length - 10) };
  expect(follower.append(cut, -1, 'replica')).toMatchObject({ baseOffset: 0, endOffset: 8 });
  expect(follower.log.epochs.entries).toEqual(leader.log.epochs.entries.slice(0, 4));
  expect(follower.read(0).bytes).toEqual(section.bytes.subarray(0, follower.log.endPosition.position));
  expect(follower.stage(section, -1, 'replica').errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
  follower.append(leader.read(8), -1, 'replica');
  expect(follower.read(0).bytes).toEqual(section.bytes);
});
