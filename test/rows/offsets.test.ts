/** What can be told from offsets and timestamps: how many records there are, and where a moment lies. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { type BrokerHome, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { deleteRecords } from '../kit/offsets.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, listOffset, produce } from '../kit/requests.ts';

const TIME_ENTRY_BYTES = 12;
const LATEST = -1;
const EARLIEST = -2;

/** Entries of the time indexes of a partition that were written, file by file. */
function timeIndexes(home: BrokerHome, topic: string): { timestamp: number; offset: number }[][] {
  const directory = join(home.directory, `${topic}-0`);
  const files = readdirSync(directory).filter((name) => name.endsWith('.timeindex'));
  return files.sort().map((name) => {
    const bytes = readFileSync(join(directory, name));
    expect(bytes.length % TIME_ENTRY_BYTES).toBe(0);
    const entries = Array.from({ length: bytes.length / TIME_ENTRY_BYTES }, (_, index) => ({
      timestamp: Number(bytes.readBigInt64BE(index * TIME_ENTRY_BYTES)),
      offset: Number.parseInt(name, 10) + bytes.readInt32BE(index * TIME_ENTRY_BYTES + 8),
    }));
    // That of the active segment is as long as it may become.
    return entries.filter(({ timestamp }) => timestamp > 0);
  });
}

inEveryLayout('offsets and moments', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test('S015: the latest minus the earliest offset is the number of records, until some are deleted', async () => {
    const random = new SeededRandom(7);
    const { name } = await createTopic(client, { partitions: 3 });
    const counts = [0, 0, 0];
    for (let i = 0; i < 60; i++) {
      const partition = random.below(3);
      const records = 1 + random.below(40);
      expect((await produce(client, name, filledBatch('r', records, 20), { partition })).errorCode).toBe(0);
      counts[partition] = (counts[partition] as number) + records;
    }
    for (const [partition, count] of counts.entries()) {
      const ends = await Promise.all(
        [LATEST, EARLIEST].map(async (end) => (await listOffset(client, name, end, { partition })).offset),
      );
      expect(ends).toEqual([count, 0]);
    }
    const admin = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const said = async () =>
      (await admin.fetchTopicOffsets(name))
        .sort((a, b) => a.partition - b.partition)
        .map(({ high, low }) => Number(high) - Number(low));
    expect(await said()).toEqual(counts);
    await deleteRecords(client, name, 5, { partition: 1 });
    expect(await said()).toEqual(counts.map((count, partition) => (partition === 1 ? count - 5 : count)));
    expect((await listOffset(client, name, LATEST, { partition: 1 })).offset).toBe(counts[1]);
    await admin.disconnect();
  });

  test('S016: the time index rises, and a moment gives the first offset with that timestamp or a later one', async () => {
    const random = new SeededRandom(11);
    const configs = { 'segment.bytes': '1048576', 'index.interval.bytes': '4096' };
    const { name } = await createTopic(client, { configs });
    const start = Date.now() - 3_600_000;
    const all: number[] = [];
    // Records are up to ten seconds late; now and then nothing comes for a while.
    for (let i = 0; i < 150; i++) {
      const records = Array.from({ length: 1 + random.below(6) }, () => {
        const timestamp = start + i * 2_000 + (i > 90 ? 600_000 : 0) - random.below(10_000);
        return { timestamp, key: null, value: new Uint8Array(5_000) };
      });
      expect((await produce(client, name, batchOf(records))).errorCode).toBe(0);
      all.push(...records.map(({ timestamp }) => timestamp));
    }
    const indexes = timeIndexes(home, name);
    expect(indexes.length).toBeGreaterThan(2);
    for (const [segment, entries] of indexes.entries()) {
      if (segment < indexes.length - 1) expect(entries.length).toBeGreaterThan(10);
      for (const [index, { timestamp, offset }] of entries.entries()) {
        const before = entries[index - 1];
        if (before !== undefined) {
          expect(timestamp).toBeGreaterThan(before.timestamp);
          expect(offset).toBeGreaterThan(before.offset);
        }
      }
    }
    const moments = [
      0,
      ...Array.from({ length: 60 }, () => start - 20_000 + random.below(1_000_000)),
      ...all.slice(0, 9),
    ];
    for (const moment of moments) {
      const offset = all.findIndex((timestamp) => timestamp >= moment);
      const { errorCode, ...found } = await listOffset(client, name, moment);
      expect([moment, errorCode, found.offset, found.timestamp]).toEqual([moment, 0, offset, all[offset] ?? -1]);
    }
    // What is asked for may lie in a batch that the start cuts through.
    await deleteRecords(client, name, 200);
    for (const moment of moments) {
      const offset = all.findIndex((timestamp, at) => at >= 200 && timestamp >= moment);
      expect((await listOffset(client, name, moment)).offset).toBe(offset);
    }
    const admin = new Kafka({ brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const moment = start + 400_000;
    const [byKafkajs] = await admin.fetchTopicOffsetsByTimestamp(name, moment);
    expect(Number(byKafkajs?.offset)).toBe(all.findIndex((timestamp, at) => at >= 200 && timestamp >= moment));
    await admin.disconnect();
  });
});
