import { expect, test } from 'vitest';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { config, DIRECTORY, environment, NOW } from './fixture.ts';
import { Opened, TOPIC_ID } from './opened.ts';

const SMALL = { segmentBytes: 1_500, indexIntervalBytes: 200, flushMessages: 100 };

function thaw(bytes: Uint8Array, opened: Opened): PartitionLog {
  return PartitionLog.thaw(bytes, {
    ...environment(opened.disk, 8),
    directory: DIRECTORY,
    topic: 'orders',
    partition: 0,
    topicId: TOPIC_ID,
    config: config(SMALL),
    now: NOW,
  });
}

test('a log that moved is as unfinished as before: a clean end cuts and syncs its indexes', () => {
  const opened = new Opened({ config: { indexIntervalBytes: 100 } });
  for (let i = 0; i < 5; i++) opened.append({ valueBytes: 100 });
  opened.sync();
  opened.log.mark(1);
  thaw(opened.log.freeze(), opened).close();
  expect(opened.disk.bytesOf(`${DIRECTORY}/00000000000000000000.index`).length).toBeLessThan(100);
});

test('a log goes on elsewhere as if it had never moved, and nothing of it is read again', () => {
  const stayed = new Opened({ config: SMALL });
  const moved = new Opened({ config: SMALL });
  const one = (i: number) => ({
    count: 1 + (i % 3),
    producerId: i % 3,
    producerEpoch: 0,
    baseSequence: -1,
    valueBytes: 40,
  });
  const next = [0, 0, 0];
  const batches = Array.from({ length: 60 }, (_, i) => {
    const spec = { ...one(i), baseSequence: next[i % 3] as number };
    next[i % 3] = spec.baseSequence + spec.count;
    return spec;
  });
  for (const [i, spec] of batches.slice(0, 30).entries()) {
    for (const each of [stayed, moved]) each.append(spec, i >> 3);
  }
  for (const each of [stayed, moved]) each.sync();
  for (const [i, spec] of batches.slice(30, 45).entries()) {
    for (const each of [stayed, moved]) each.append(spec, 4 + (i >> 3));
  }
  const lease = moved.locate(0);
  const bytes = moved.log.freeze();
  expect(moved.world.files.openFiles).toBe(0);
  moved.disk.calls.clear();
  const log = thaw(bytes, moved);
  for (const call of ['readFile', 'list', 'write', 'writeBytes', 'truncate', 'rename'])
    expect(moved.disk.calls.get(call)).toBeUndefined();
  const { logStartOffset, logEndOffset, endPosition, recoveryPoint, segmentCount, flushDue, producerCount } =
    stayed.log;
  expect(log).toMatchObject({
    logStartOffset,
    logEndOffset,
    endPosition,
    recoveryPoint,
    segmentCount,
    flushDue,
    producerCount,
  });
  expect(log.epochs.entries).toEqual(stayed.log.epochs.entries);
  const arrived = Object.assign(Object.create(Opened.prototype) as Opened, moved, { log });
  for (const [i, spec] of batches.slice(43).entries()) {
    const expected = stayed.append(spec, 6);
    expect(arrived.append(spec, 6)).toEqual(expected);
    expect(expected.duplicate).toBe(i < 2);
  }
  expect(arrived.log.syncPlan().slots.length).toBe(stayed.log.syncPlan().slots.length);
  expect(moved.disk.read(moved.world.table.descriptor(lease.slot), 0, { ...moved.world.scratch }, 0, 12)).toBe(12);
  for (const name of stayed.names('.log')) {
    expect(moved.disk.bytesOf(`${DIRECTORY}/${name}`)).toEqual(stayed.disk.bytesOf(`${DIRECTORY}/${name}`));
  }
  for (const log of [stayed.log, arrived.log]) log.close();
  expect(moved.names()).toEqual(stayed.names());
  for (const name of stayed.names()) {
    expect(moved.disk.bytesOf(`${DIRECTORY}/${name}`)).toEqual(stayed.disk.bytesOf(`${DIRECTORY}/${name}`));
  }
});

test('retired files that are not due yet move along', () => {
  const opened = new Opened({ config: { ...SMALL, retentionMs: 1, fileDeleteDelayMs: 10 } });
  for (let i = 0; i < 40; i++) opened.append({ count: 2 });
  expect(opened.log.retention(NOW + 100_000)).toBeGreaterThan(1);
  opened.append({ count: 2 });
  const { endPosition, sizeBytes } = opened.log;
  const log = thaw(opened.log.freeze(), opened);
  // Bytes are counted from the beginning of the log, also when its first segments are gone.
  expect(endPosition.cumulativeBytes).toBeGreaterThan(sizeBytes);
  expect(log).toMatchObject({ endPosition, sizeBytes });
  expect(log.nextDeletionMs).toBe(NOW + 100_010);
  expect(log.dueDeletions(NOW + 100_010).length).toBeGreaterThan(3);
});
