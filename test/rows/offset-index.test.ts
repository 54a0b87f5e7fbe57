/** The sparse index of offsets: what is in it, what a lookup costs, and that it can be made anew from the log. */
import { readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Memory } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { BrokerHome, inEveryLayout, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { fileBatches, logFiles, offsetEntries, timeEntries } from '../kit/log-files.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, listOffset } from '../kit/requests.ts';
import { batchOf as logBatch, NOW } from '../log/fixture.ts';
import { Opened } from '../log/opened.ts';
import { SimulatedDisk } from '../sim/disk.ts';

const MIB = 1_048_576;
/** As Kafka cuts: an entry for the first batch that begins more than an interval behind the last entry. */
const entriesOf = (batches: number, sizeBytes: number, interval: number) =>
  Math.floor((batches - 1) / (Math.floor(interval / sizeBytes) + 1));

test('S001: 10 MB of single records of 1 KB have about an index entry every 4096 bytes, each at the start of a batch', async () => {
  const home = new BrokerHome(ONE_THREAD);
  try {
    const client = await RawClient.connect((await home.start()).port);
    const byDefault = (await createTopic(client)).name;
    const overridden = (await createTopic(client, { configs: { 'index.interval.bytes': '65536' } })).name;
    const batch = batchOf(['x'.repeat(950)]);
    const count = Math.ceil((10 * MIB) / batch.length);
    const begin = Date.now();
    for (const topic of [byDefault, overridden]) await produceMany(client, topic, count, () => batch);
    await client.close();
    await home.stop();
    const [dense, sparse] = [byDefault, overridden].map((topic) => {
      const partition = partitionPath(home.directory, topic);
      const starts = new Map(
        fileBatches(logFiles(partition, '.log')[0] as string).map((one) => [one.position, one.lastOffset]),
      );
      const entries = offsetEntries(logFiles(partition, '.index')[0] as string);
      for (const { offset, position } of entries) expect(starts.get(position)).toBe(offset);
      for (const { offset, timestamp } of timeEntries(logFiles(partition, '.timeindex')[0] as string)) {
        expect(offset).toBeLessThan(count);
        expect(Math.abs(timestamp - begin)).toBeLessThan(3_600_000);
      }
      return entries.length;
    }) as [number, number];
    expect(dense).toBe(entriesOf(count, batch.length, 4_096));
    expect(sparse).toBe(entriesOf(count, batch.length, 65_536));
    expect(dense / sparse).toBeGreaterThan(12);
    expect(dense / sparse).toBeLessThan(17);
  } finally {
    await home.end();
  }
});

test('S001: large batches have one entry each at most', async () => {
  const home = new BrokerHome(ONE_THREAD);
  try {
    const client = await RawClient.connect((await home.start()).port);
    const { name } = await createTopic(client);
    await produceMany(client, name, 50, () => batchOf(['x'.repeat(30_000)]));
    await client.close();
    await home.stop();
    expect(offsetEntries(logFiles(partitionPath(home.directory, name), '.index')[0] as string)).toHaveLength(49);
  } finally {
    await home.end();
  }
});

/** Remembers what was read of which kind of file. */
class ReadDisk extends SimulatedDisk {
  readonly reads: { ending: string; bytes: number }[] = [];
  searches = 0;
  #ending = '';

  constructor() {
    super();
    this.fault = (_, path) => {
      this.#ending = path.split('.').at(-1) as string;
      return null;
    };
  }

  override read(file: number, position: number, into: Memory, offset: number, length: number): number {
    const got = super.read(file, position, into, offset, length);
    this.reads.push({ ending: this.#ending, bytes: got });
    return got;
  }

  override searchIndex(file: number, kind: 'offset' | 'time', entries: number, target: number): number {
    this.searches += 1;
    return super.searchIndex(file, kind, entries, target);
  }

  bytesRead(ending: string): number {
    return this.reads.filter((read) => read.ending === ending).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

describe('S004: a lookup searches the index once and scans at most an interval and a batch of the log', () => {
  /** The header behind the last batch that is passed over is read with what stands around it. */
  const WINDOW_BYTES = 4_096;

  test.each([
    { interval: 4_096, batches: 300 },
    { interval: 4_096, batches: 6_000 },
    { interval: 20_000, batches: 6_000 },
  ])('interval $interval, $batches batches', ({ interval, batches }) => {
    const disk = new ReadDisk();
    const opened = new Opened({ disk, config: { indexIntervalBytes: interval, segmentIndexBytes: 1_000_000 } });
    const dice = new SeededRandom(17);
    const ends: number[] = [];
    let largest = 0;
    for (let index = 0; index < batches; index++) {
      const memory = logBatch({ count: 1 + dice.below(5), valueBytes: 20 + dice.below(200), timestamp: NOW + index });
      largest = Math.max(largest, memory.bytes.length);
      ends.push(opened.append(memory).endOffset);
    }
    let most = 0;
    for (let lookup = 0; lookup < 400; lookup++) {
      const offset = dice.below(ends.at(-1) as number);
      disk.reads.length = 0;
      disk.searches = 0;
      const { length } = opened.locate(offset, 1);
      const scanned = disk.bytesRead('log');
      expect(length).toBeGreaterThan(0);
      expect(scanned).toBeLessThanOrEqual(interval + largest + WINDOW_BYTES);
      expect(disk.searches).toBeLessThanOrEqual(1);
      expect(disk.bytesRead('index')).toBeLessThanOrEqual(8);
      most = Math.max(most, scanned);
    }
    // It does scan: the bound above is not kept by reading nothing.
    expect(most).toBeGreaterThan(interval / 2);
  });
});

test('S005: a larger index.interval.bytes gives fewer entries, and every offset is found all the same', async () => {
  const home = new BrokerHome(TWO_BY_THREE);
  try {
    const client = await RawClient.connect((await home.start()).port);
    const intervals = [0, 512, 4_096, 32_768];
    const batch = batchOf(['a'.repeat(100), 'b'.repeat(100)]);
    const count = 1_000;
    const topics: string[] = [];
    for (const interval of intervals) {
      const { name } = await createTopic(client, { configs: { 'index.interval.bytes': String(interval) } });
      topics.push(name);
      await produceMany(client, name, count, () => batch);
      for (let offset = 0; offset < 2 * count; offset += 97) {
        const got = await fetch(client, name, { offset, partitionMaxBytes: 1 });
        expect(got.batches[0]?.baseOffset).toBe(offset - (offset % 2));
      }
    }
    await client.close();
    await home.stop();
    const entries = topics.map(
      (name) => offsetEntries(logFiles(partitionPath(home.directory, name), '.index')[0] as string).length,
    );
    expect(entries).toEqual(intervals.map((interval) => entriesOf(count, batch.length, interval)));
    expect(entries).toEqual([...entries].sort((a, b) => b - a));
  } finally {
    await home.end();
  }
});

inEveryLayout(
  'index files that are gone',
  (home) => {
    test('S022: are made anew at the next start, and the same lookups succeed', async () => {
      let client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { configs: { 'segment.bytes': String(MIB) } });
      const start = Date.now() - 1_000_000;
      const records = 5;
      await produceMany(client, name, 600, (index) =>
        batchOf(
          Array.from({ length: records }, (_, at) => ({
            timestamp: start + index * 100 + at,
            key: null,
            value: Buffer.alloc(1_200, index),
          })),
        ),
      );
      const offsets = Array.from({ length: 80 }, (_, index) => index * 37);
      const lookups = async () => {
        const found: unknown[] = [];
        for (const offset of offsets) {
          const { batches, errorCode } = await fetch(client, name, { offset, partitionMaxBytes: 1 });
          const { timestamp, offset: at } = await listOffset(client, name, start + offset * 20);
          found.push([errorCode, batches[0]?.baseOffset, batches[0]?.lastOffset, timestamp, at]);
        }
        return found;
      };
      const before = await lookups();
      await client.close();
      await home.stop();
      const partition = partitionPath(home.directory, name);
      const indexes = [...logFiles(partition, '.index'), ...logFiles(partition, '.timeindex')];
      expect(indexes.length).toBeGreaterThanOrEqual(8);
      const contents = new Map(indexes.map((path) => [path, readFileSync(path)]));
      for (const path of indexes) rmSync(path);
      await home.start();
      client = await RawClient.connect(home.port);
      expect(await lookups()).toEqual(before);
      await client.close();
      await home.stop();
      for (const path of indexes) {
        expect([basename(path), readFileSync(path).equals(contents.get(path) as Buffer)]).toEqual([
          basename(path),
          true,
        ]);
        if (path.endsWith('.index')) expect(offsetEntries(path).length).toBeGreaterThan(50);
      }
      await home.start();
    });
  },
  {},
  [ONE_THREAD, TWO_BY_THREE],
);
