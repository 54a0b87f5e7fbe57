import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import * as batch from '../../src/wire/batch.ts';
import { batchOf, config, DIRECTORY, environment, NOW } from './fixture.ts';
import { Opened } from './opened.ts';

const SMALL = { segmentBytes: 1_000, indexIntervalBytes: 200 };

function path(base: number, suffix: string): string {
  return `${DIRECTORY}/${String(base).padStart(20, '0')}${suffix}`;
}

function filled(count: number, changes = {}): Opened {
  const opened = new Opened({ config: { ...SMALL, ...changes } });
  for (let i = 0; i < count; i++) opened.append({ count: 2, valueBytes: 50, timestamp: NOW + i * 10 }, i >> 3);
  return opened;
}

function offsetsIn(opened: Opened): number[] {
  const offsets: number[] = [];
  for (let offset = opened.log.logStartOffset; offset < opened.log.logEndOffset; ) {
    const { view } = opened.read(offset, 1);
    offsets.push(batch.baseOffset(view, 0));
    offset = batch.nextOffset(view, 0);
  }
  return offsets;
}

test('after a clean end nothing is read but the last batches', () => {
  const opened = filled(40);
  const { epochs, segmentCount, logEndOffset, endPosition } = opened.log;
  opened.log.close();
  opened.disk.calls.clear();
  let logBytes = 0;
  const { read } = opened.disk;
  opened.disk.read = function (file, position, into, offset, length) {
    const got = read.call(this, file, position, into, offset, length);
    if (length > 12) logBytes += got;
    return got;
  };
  const again = new Opened({ disk: opened.disk, config: SMALL, recoveryPoint: logEndOffset });
  expect(logBytes).toBeLessThan(1_000);
  expect(again.disk.calls.get('truncate') ?? 0).toBeLessThanOrEqual(2);
  expect(again.log).toMatchObject({ segmentCount, logEndOffset, endPosition });
  expect(again.log.recoveryPoint).toBe(logEndOffset);
  expect(again.log.epochs.entries).toEqual(epochs.entries);
  expect(offsetsIn(again)).toEqual(Array.from({ length: 40 }, (_, i) => i * 2));
});

test('indexes are as long as they may become while a segment grows, and as long as they are when it ends', () => {
  const opened = filled(40);
  const active = opened.names('.log').at(-1) as string;
  expect(opened.disk.bytesOf(`${DIRECTORY}/${active.replace('.log', '.index')}`).length).toBe(4_096);
  expect(opened.disk.bytesOf(`${DIRECTORY}/${active.replace('.log', '.timeindex')}`).length).toBe(4_092);
  const first = opened.disk.bytesOf(path(0, '.index'));
  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(100);
  opened.log.close();
  for (const name of opened.names('index')) {
    const { length } = opened.disk.bytesOf(`${DIRECTORY}/${name}`);
    expect(length % (name.endsWith('.timeindex') ? 12 : 8)).toBe(0);
    expect(length).toBeLessThan(100);
  }
});

test('index entries: last offset and position of a batch, once per interval; the time index ends with the largest', () => {
  const opened = filled(40);
  opened.log.close();
  const log = opened.disk.bytesOf(path(0, '.log'));
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const index = opened.disk.bytesOf(path(0, '.index'));
  const entries = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const times = opened.disk.bytesOf(path(0, '.timeindex'));
  const timeEntries = new DataView(times.buffer, times.byteOffset, times.byteLength);
  const expected: number[][] = [];
  let since = 0;
  let last = 0;
  for (let at = 0; at < log.length; at += batch.sizeInBytes(view, at)) {
    if (since > SMALL.indexIntervalBytes) {
      expected.push([batch.lastOffset(view, at), at]);
      since = 0;
    }
    since += batch.sizeInBytes(view, at);
    last = at;
  }
  expect(expected.length).toBeGreaterThan(1);
  expect(expected.map((_, i) => [entries.getInt32(i * 8), entries.getInt32(i * 8 + 4)])).toEqual(expected);
  expect(index.length).toBe(expected.length * 8);
  const end = times.length - 12;
  expect(Number(timeEntries.getBigInt64(end))).toBe(batch.maxTimestamp(view, last));
  expect(timeEntries.getInt32(end + 8)).toBe(batch.lastOffset(view, last));
});

test('after a crash the torn end is cut off at any byte, and indexes are made anew', () => {
  const opened = filled(10, { segmentBytes: 1_000_000 });
  const whole = opened.disk.bytesOf(path(0, '.log'));
  const size = whole.length / 10;
  for (let cut = 0; cut <= size; cut += 7) {
    opened.disk.put(path(0, '.log'), whole.slice(0, whole.length - cut));
    const again = opened.kill({ config: SMALL });
    expect(offsetsIn(again).length).toBe(cut === 0 ? 10 : cut < size ? 9 : cut === size ? 9 : 8);
    expect(again.disk.bytesOf(path(0, '.log')).length).toBe(offsetsIn(again).length * size);
    expect(again.append({}).baseOffset).toBe(offsetsIn(again).length * 2 - 2);
  }
});

test('a damaged byte anywhere ends the log before its batch', () => {
  const opened = filled(6, { segmentBytes: 1_000_000 });
  const whole = opened.disk.bytesOf(path(0, '.log'));
  const size = whole.length / 6;
  for (let at = 3 * size; at < 4 * size; at++) {
    const inBatch = at - 3 * size;
    // The leader epoch is the one field that nothing vouches for.
    if (inBatch >= batch.LEADER_EPOCH_AT && inBatch < batch.MAGIC_AT) continue;
    const damaged = whole.slice();
    damaged[at] = (damaged[at] as number) ^ 0x80;
    opened.disk.put(path(0, '.log'), damaged);
    const again = opened.kill({ config: SMALL });
    // A base offset that grew is a gap, as compaction leaves them; one below zero or out of the segment's reach is none.
    const gap = inBatch >= 5 && inBatch < 8 ? 0x80 * 2 ** (8 * (7 - inBatch)) + 2 : 0;
    expect(again.log.logEndOffset).toBe(6 + gap);
  }
});

test('an end that is not clean in spite of its mark is recovered from', () => {
  const opened = filled(10, { segmentBytes: 1_000_000 });
  opened.log.close();
  const bytes = opened.disk.bytesOf(path(0, '.log'));
  opened.disk.put(path(0, '.log'), bytes.slice(0, bytes.length - 5));
  const again = opened.kill({ config: SMALL, cleanShutdown: true, recoveryPoint: 20 });
  expect(again.log.logEndOffset).toBe(18);
  expect(again.log.recoveryPoint).toBe(18);
  expect(again.append({}).baseOffset).toBe(18);
});

test('indexes that were made anew are part of the next sync', () => {
  const opened = filled(40);
  opened.log.close();
  opened.disk.remove(path(0, '.index'));
  const again = opened.kill({ config: SMALL, cleanShutdown: true, recoveryPoint: 80 });
  again.append({});
  const synced: string[] = [];
  again.disk.fault = (operation, file) => {
    if (operation === 'sync') synced.push(file);
    return null;
  };
  again.sync();
  expect(synced).toContain(path(0, '.index'));
});

test('a segment is read once, whatever state its indexes are in', () => {
  const opened = filled(30, { segmentBytes: 1_000_000 });
  const size = opened.disk.bytesOf(path(0, '.log')).length;
  let read = 0;
  const plain = opened.disk.read;
  opened.disk.read = function (file, position, into, offset, length) {
    const got = plain.call(this, file, position, into, offset, length);
    if (length > 12) read += got;
    return got;
  };
  expect(opened.kill({ config: SMALL }).log.logEndOffset).toBe(60);
  // Once for the batches, once more for the producers that no snapshot tells of.
  expect(read).toBeLessThan(2.5 * size);
});

test('what was cut off does not come back behind what is appended in its place', () => {
  for (let seed = 0; seed < 40; seed++) {
    const opened = filled(6, { segmentBytes: 1_000_000 });
    opened.sync();
    opened.disk.syncDirectory('/');
    const bytes = opened.disk.bytesOf(path(0, '.log'));
    const size = bytes.length / 6;
    bytes[3 * size + 70] = (bytes[3 * size + 70] as number) ^ 1;
    opened.disk.put(path(0, '.log'), bytes);
    const again = opened.kill({ config: SMALL });
    expect(again.log.logEndOffset).toBe(6);
    // As large as the damaged one was: the batches behind that one would follow it again.
    again.append({ count: 2, valueBytes: 50, timestamp: NOW + 777 });
    again.disk.crash(new SeededRandom(seed));
    const { log } = new Opened({ disk: again.disk, config: SMALL, cleanShutdown: false });
    expect(log.logEndOffset).toBeGreaterThanOrEqual(6);
    expect(log.logEndOffset).toBeLessThanOrEqual(8);
  }
});

test('only segments from the recovery point on are checked', () => {
  const opened = filled(40);
  opened.sync();
  const recoveryPoint = opened.log.recoveryPoint;
  for (let i = 0; i < 20; i++) opened.append({ count: 2, valueBytes: 50 }, 9);
  const damaged = opened.disk.bytesOf(path(0, '.log'));
  damaged[100] = (damaged[100] as number) ^ 1;
  opened.disk.put(path(0, '.log'), damaged);
  expect(opened.kill({ config: SMALL, recoveryPoint }).log.logEndOffset).toBe(120);
  expect(opened.kill({ config: SMALL, recoveryPoint: 0 }).log.logEndOffset).toBeLessThan(10);
});

test('what follows a cut is retired, and named so', () => {
  const opened = filled(40);
  const bases = opened.names('.log').map((name) => Number(name.slice(0, 20)));
  const third = bases[2] as number;
  const damaged = opened.disk.bytesOf(path(third, '.log'));
  opened.disk.put(path(third, '.log'), damaged.slice(0, damaged.length - 3));
  const again = opened.kill({ config: SMALL });
  expect(again.log.segmentCount).toBe(3);
  expect(again.names('.log').length).toBe(3);
  expect(again.names('.log.deleted').length).toBe(bases.length - 3);
  const due = again.log.dueDeletions(NOW + 60_000);
  expect(due.length).toBeGreaterThanOrEqual(3 * (bases.length - 3));
  for (const each of due) again.disk.remove(each);
  expect(again.names('.deleted')).toEqual([]);
});

test('a segment that lost its end without a trace is the end of the log, unless compaction made the gap', () => {
  const lose = (opened: Opened): Opened => {
    const bytes = opened.disk.bytesOf(path(0, '.log'));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let last = 0;
    for (let at = 0; at < bytes.length; at += batch.sizeInBytes(view, at)) last = at;
    opened.disk.put(path(0, '.log'), bytes.slice(0, last));
    return opened;
  };
  const second = (opened: Opened): number => Number(opened.names('.log')[1]?.slice(0, 20));
  const opened = lose(filled(40));
  const expected = second(opened) - 2;
  expect(opened.kill({ config: SMALL }).log.logEndOffset).toBe(expected);
  const compacted = lose(filled(40)).kill({ config: { ...SMALL, cleanupPolicy: 'compact' } });
  expect(compacted.log.logEndOffset).toBe(80);
  const gap = second(compacted) - 2;
  expect(batch.baseOffset(compacted.read(gap, 1).view, 0)).toBe(gap + 2);
});

test('missing and nonsensical indexes are made anew after a clean end, too', () => {
  const opened = filled(40);
  opened.log.close();
  const index = opened.disk.bytesOf(path(0, '.index'));
  const times = opened.disk.bytesOf(path(0, '.timeindex'));
  const harm: (() => void)[] = [
    () => opened.disk.remove(path(0, '.index')),
    () => opened.disk.remove(path(0, '.timeindex')),
    () => opened.disk.put(path(0, '.index'), new Uint8Array(13)),
    () => opened.disk.put(path(0, '.index'), new Uint8Array(80)),
    () => opened.disk.put(path(0, '.timeindex'), new Uint8Array(24)),
    () => opened.disk.put(path(0, '.timeindex'), new Uint8Array(11)),
    () => opened.disk.put(path(0, '.timeindex'), new Uint8Array(0)),
  ];
  for (const each of harm) {
    each();
    opened.disk.kill();
    const again = new Opened({ disk: opened.disk, config: SMALL });
    expect(offsetsIn(again).length).toBe(40);
    again.log.close();
    expect(opened.disk.bytesOf(path(0, '.index'))).toEqual(index);
    expect(opened.disk.bytesOf(path(0, '.timeindex'))).toEqual(times);
  }
});

test('empty files, foreign names and leftovers', () => {
  const opened = filled(10, { segmentBytes: 1_000_000 });
  opened.log.close();
  const { disk } = opened;
  for (const name of ['notes.log', '12.log', '0000000000000000000x.log', 'a.index']) {
    disk.put(`${DIRECTORY}/${name}`, new Uint8Array(5));
  }
  disk.put(path(400, '.index'), new Uint8Array(8));
  disk.put(path(401, '.log.deleted'), new Uint8Array(8));
  disk.put(path(402, '.log.cleaned'), new Uint8Array(8));
  disk.put(path(402, '.index.cleaned'), new Uint8Array(8));
  disk.put(path(403, '.log.swap'), new Uint8Array(8));
  disk.put(`${DIRECTORY}/leader-epoch-checkpoint.tmp`, new Uint8Array(1));
  disk.put(path(20, '.log'), new Uint8Array(0));
  const again = opened.kill({ config: SMALL, cleanShutdown: true });
  expect(again.log).toMatchObject({ logEndOffset: 20, segmentCount: 2 });
  expect(again.append({}).baseOffset).toBe(20);
  expect(again.names().filter((name) => !/^\d{20}\.(log|index|timeindex|snapshot)$/.test(name))).toEqual([
    '0000000000000000000x.log',
    '12.log',
    'a.index',
    'leader-epoch-checkpoint',
    'notes.log',
    'partition.metadata',
  ]);
  expect(again.names('.index')).not.toContain('00000000000000000400.index');
});

test('a finished swap takes the place of what it was made from', () => {
  const opened = filled(40);
  opened.log.close();
  const bases = opened.names('.log').map((name) => Number(name.slice(0, 20)));
  const [first, second, third] = bases as [number, number, number];
  const joined = Uint8Array.from([
    ...opened.disk.bytesOf(path(first, '.log')),
    ...opened.disk.bytesOf(path(second, '.log')),
  ]);
  opened.disk.put(path(first, '.log.swap'), joined);
  const again = opened.kill({ config: SMALL, cleanShutdown: true });
  expect(again.names('.swap')).toEqual([]);
  expect(again.log.segmentCount).toBe(bases.length - 1);
  expect(again.names('.log')[1]).toBe(`${String(third).padStart(20, '0')}.log`);
  expect(offsetsIn(again).length).toBe(40);
});

test('records of an older format are refused, not cut off', () => {
  const opened = new Opened();
  opened.append({});
  opened.log.close();
  // One message of format 1: offset, size, crc, magic, attributes, timestamp, null key, empty value.
  const message = new Uint8Array(34);
  const view = new DataView(message.buffer);
  view.setInt32(8, 22);
  view.setInt8(16, 1);
  view.setInt32(26, -1);
  let crc = -1;
  for (const byte of message.subarray(16)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  view.setUint32(12, ~crc >>> 0);
  opened.disk.put(path(0, '.log'), message);
  expect(() => opened.kill()).toThrow(/message format 1/);
  expect(opened.disk.bytesOf(path(0, '.log'))).toEqual(message);
});

test('a directory of another topic is refused; a torn note of whose it is, is written again', () => {
  const opened = new Opened();
  opened.append({});
  opened.log.close();
  const open = (): PartitionLog =>
    PartitionLog.open({
      ...environment(opened.disk),
      directory: DIRECTORY,
      topic: 'orders',
      partition: 0,
      topicId: randomUuid(new SeededRandom(1234)),
      config: config(),
      now: NOW,
      cleanShutdown: true,
      recoveryPoint: 1,
    });
  expect(open).toThrow(/belongs to another topic/);
  const metadata = opened.disk.bytesOf(`${DIRECTORY}/partition.metadata`);
  opened.disk.put(`${DIRECTORY}/partition.metadata`, metadata.slice(0, 20));
  expect(open().logEndOffset).toBe(1);
  expect(opened.disk.bytesOf(`${DIRECTORY}/partition.metadata`).length).toBe(metadata.length);
});

test('epochs are read from the batches when their file is gone or torn', () => {
  const opened = filled(40);
  const { entries } = opened.log.epochs;
  expect(entries.length).toBe(5);
  const file = `${DIRECTORY}/leader-epoch-checkpoint`;
  const whole = opened.disk.bytesOf(file);
  for (let keep = 0; keep < whole.length; keep++) {
    opened.disk.put(file, whole.slice(0, keep));
    expect(opened.kill({ config: SMALL }).log.epochs.entries).toEqual(entries);
    expect(opened.disk.bytesOf(file)).toEqual(whole);
  }
  opened.disk.remove(file);
  expect(opened.kill({ config: SMALL }).log.epochs.entries).toEqual(entries);
});

test('epochs of records that are not there are forgotten', () => {
  for (const cleanShutdown of [true, false]) {
    const opened = filled(40);
    const { entries } = opened.log.epochs;
    opened.log.close();
    const text = new TextEncoder().encode(
      `0\n6\n${entries.map((e) => `${e.epoch} ${e.startOffset}\n`).join('')}9 80\n`,
    );
    opened.disk.put(`${DIRECTORY}/leader-epoch-checkpoint`, text);
    const again = opened.kill({ config: SMALL, cleanShutdown });
    expect(again.log.epochs.entries).toEqual(entries);
  }
});

test('a log whose files end below its start begins again there', () => {
  const opened = filled(10);
  const again = opened.kill({ config: SMALL, logStartOffset: 50 });
  expect(again.log).toMatchObject({ logStartOffset: 50, logEndOffset: 50, segmentCount: 1 });
  expect(again.append({}).baseOffset).toBe(50);
  expect(again.names('.log')).toEqual(['00000000000000000050.log']);
});

test('a start within the log hides what is below', () => {
  const again = filled(10).kill({ config: SMALL, logStartOffset: 7 });
  expect(again.log).toMatchObject({ logStartOffset: 7, logEndOffset: 20 });
  expect(again.locate(6).errorCode).toBe(1);
  expect(batch.baseOffset(again.read(7, 1).view, 0)).toBe(6);
});

test('a batch larger than the scratch memory is checked piece by piece', () => {
  const opened = new Opened({ config: { maxMessageBytes: 1_000_000 } });
  opened.append({ valueBytes: 300_000 });
  opened.append({ valueBytes: 200_000 });
  opened.append({ count: 2 });
  expect(opened.kill().log.logEndOffset).toBe(4);
  const bytes = opened.disk.bytesOf(path(0, '.log'));
  bytes[400_000] = (bytes[400_000] as number) ^ 1;
  opened.disk.put(path(0, '.log'), bytes);
  const again = opened.kill();
  expect(again.log.logEndOffset).toBe(1);
  expect(batchOf({ valueBytes: 300_000 }).bytes.length).toBe(again.log.endPosition.position);
});

/** How much of log files the opening read. */
function openedAgain(opened: Opened, changes: object): { again: Opened; readBytes: number } {
  let readBytes = 0;
  const { read } = opened.disk;
  opened.disk.read = function (file, position, into, offset, length) {
    const got = read.call(this, file, position, into, offset, length);
    if (length > 12) readBytes += got;
    return got;
  };
  const again = opened.kill(changes);
  opened.disk.read = read;
  return { again, readBytes };
}

const LARGE = { segmentBytes: 100_000_000, indexIntervalBytes: 500, segmentIndexBytes: 40_000 };

/** `count` batches of some 8 kB; the time goes back now and then, so that not every index entry has one of time. */
function grow(opened: Opened, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    const timestamp = NOW + i * 10 - (i % 7 === 0 ? 500 : 0);
    const producer = { producerId: i % 3, producerEpoch: 0, baseSequence: Math.floor(i / 3) * 2 };
    opened.append({ count: 2, valueBytes: 4_000, timestamp, ...producer }, i >> 7);
  }
}

test.each([0, 1, 60, 200, 390, 500])(
  'a kill costs the reading of what was written since the mark: %s batches before it',
  (before) => {
    const opened = new Opened({ config: LARGE });
    grow(opened, 0, before);
    opened.log.mark(1);
    grow(opened, before, 20);
    const { again: whole, readBytes: all } = openedAgain(opened, { config: LARGE });
    expect(all).toBeGreaterThan((before + 20) * 8_000);
    const expected = ['.index', '.timeindex'].map((suffix) => opened.disk.bytesOf(path(0, suffix)).slice());
    const { epochs, logEndOffset, endPosition, sizeBytes } = whole.log;
    const producers = Array.from(whole.log.producers(), ({ id, lastTimestamp }) => [id, lastTimestamp]);
    for (let more = 0; more < 2; more++) {
      const { again, readBytes } = openedAgain(opened, { config: LARGE, pageCacheKept: true });
      // What was written behind the mark is read for its checksums, and once more for its producers.
      expect(readBytes).toBeLessThan(20 * 8_200 * 3);
      expect(again.log).toMatchObject({ logEndOffset, endPosition, sizeBytes });
      expect(again.log.epochs.entries).toEqual(epochs.entries);
      expect(Array.from(again.log.producers(), ({ id, lastTimestamp }) => [id, lastTimestamp])).toEqual(producers);
      again.log.finish();
      for (const [i, suffix] of ['.index', '.timeindex'].entries()) {
        const bytes = opened.disk.bytesOf(path(0, suffix));
        expect(bytes.slice(0, bytes.length - 12)).toEqual((expected[i] as Uint8Array).slice(0, bytes.length - 12));
      }
    }
  },
);

test('a start after a killed process makes few calls of the disk, however long its files are', () => {
  const opened = new Opened({ config: LARGE });
  grow(opened, 0, 300);
  opened.log.mark(1);
  grow(opened, 300, 1);
  opened.disk.calls.clear();
  opened.kill({ config: LARGE, pageCacheKept: true });
  const calls = Object.fromEntries(opened.disk.calls);
  // Entries of two indexes, a window and the last of each; the headers and records of two batches. Whose it is, epochs, a snapshot.
  expect(calls).toMatchObject({ readFile: 3, list: 2, open: 3 });
  expect(calls.read).toBeLessThanOrEqual(14);
});

test('a mark is believed only as far as the files bear it out', () => {
  const opened = new Opened({ config: LARGE });
  grow(opened, 0, 300);
  opened.log.mark(1);
  grow(opened, 300, 10);
  const whole = opened.disk.bytesOf(path(0, '.log')).slice();
  const index = opened.disk.bytesOf(path(0, '.index')).slice();
  const times = opened.disk.bytesOf(path(0, '.timeindex')).slice();
  const mark = opened.names('.snapshot').at(-1) as string;
  const snapshot = opened.disk.bytesOf(`${DIRECTORY}/${mark}`).slice();
  const random = new SeededRandom(5);
  for (let round = 0; round < 60; round++) {
    opened.disk.put(path(0, '.log'), whole.slice());
    opened.disk.put(path(0, '.index'), index.slice());
    opened.disk.put(path(0, '.timeindex'), times.slice());
    opened.disk.put(`${DIRECTORY}/${mark}`, snapshot.slice());
    const kind = round % 3;
    let cut = whole.length;
    if (kind === 0) {
      cut = random.below(whole.length);
      opened.disk.put(path(0, '.log'), whole.slice(0, cut));
    } else {
      const damaged = (kind === 1 ? index : times).slice();
      const at = random.below(2_000);
      damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      opened.disk.put(
        path(0, kind === 1 ? '.index' : '.timeindex'),
        damaged.slice(0, 40_000 - random.below(2) * 38_001),
      );
    }
    const again = opened.kill({ config: LARGE, pageCacheKept: true });
    const size = whole.length / 310;
    expect(again.log.logEndOffset).toBe(2 * Math.floor(cut / size));
    again.log.close();
    again.world.files.close();
  }
});
