/** What lies on disk for a partition, and how old data leaves it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, eventually, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, utf8 } from '../kit/records.ts';
import {
  createTopic,
  FETCH_VERSION,
  fetch,
  fetchedOf,
  fetchRequest,
  produce,
  produceRequest,
} from '../kit/requests.ts';

const DAY_MS = 86_400_000;
const INDEX = /\.(time)?index$/;

let home: BrokerHome | null = null;
let client: RawClient | null = null;

afterEach(async () => {
  await client?.close();
  client = null;
  await home?.end();
  home = null;
});

async function start(settings: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  home = new BrokerHome(ONE_THREAD, { settings });
  await home.start();
  client = await RawClient.connect(home.port);
  return client;
}

const partitionPath = (topic: string, partition = 0): string =>
  join((home as BrokerHome).directory, `${topic}-${partition}`);

/** One record of an age: records more than segment.ms apart do not share a segment. */
const aged = (days: number): Uint8Array =>
  batchOf([{ timestamp: Date.now() - days * DAY_MS, key: null, value: utf8(`${days} days`) }]);

function indexFiles(directory: string): { path: string; bytes: number; onDisk: number }[] {
  return readdirSync(directory)
    .filter((name) => INDEX.test(name))
    .map((name) => {
      const path = join(directory, name);
      const { size, blocks } = statSync(path);
      return { path, bytes: size, onDisk: blocks * 512 };
    });
}

function residentBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

test.runIf(process.platform === 'linux')(
  'S002: 500 partitions of 4 segments take less memory than their indexes are long; indexes are sparse, and trimmed',
  async () => {
    const partitions = 500;
    const from = await start();
    const { name } = await createTopic(from, { partitions, configs: { 'retention.ms': '-1' } });
    const before = residentBytes();
    for (const days of [30, 20, 10, 0]) {
      const partitionData = Array.from({ length: partitions }, (_, index) => ({ index, records: aged(days) }));
      const topicData = [
        { ...(produceRequest(name, null).topicData[0] as { name: string; topicId: string }), partitionData },
      ];
      const { responses } = await from.call(Produce, 9, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 20_000,
        topicData,
      });
      expect(responses[0]?.partitionResponses.filter(({ errorCode }) => errorCode !== 0)).toEqual([]);
    }
    for (let partition = 0; partition < partitions; partition += 50)
      expect((await fetch(from, name, { partition, offset: 2 })).batches[0]?.baseOffset).toBe(2);
    const grown = residentBytes() - before;
    let bytes = 0;
    for (let partition = 0; partition < partitions; partition++) {
      const files = indexFiles(partitionPath(name, partition));
      expect(files).toHaveLength(8);
      const active = files.filter(({ path }) => path.includes('/00000000000000000003.'));
      const finished = files.filter((file) => !active.includes(file));
      // Room for whole entries up to segment.index.bytes, and none of it on disk.
      for (const { bytes: length, onDisk } of active) {
        expect(length).toBeGreaterThan(10_485_760 - 12);
        expect(length).toBeLessThanOrEqual(10_485_760);
        expect(onDisk).toBeLessThanOrEqual(8_192);
      }
      for (const { bytes: length } of finished) expect(length).toBeLessThanOrEqual(12);
      bytes += files.reduce((sum, file) => sum + file.bytes, 0);
    }
    expect(grown).toBeLessThan(bytes);
    expect(grown).toBeLessThan(200 * 1_048_576);
    await client?.close();
    client = null;
    await home?.stop();
    for (const { bytes: length } of indexFiles(partitionPath(name))) expect(length).toBeLessThanOrEqual(12);
  },
  120_000,
);

test('S011: a partition has three files per segment, its leader epochs and its metadata', async () => {
  const from = await start();
  const { name } = await createTopic(from, { configs: { 'retention.ms': '-1' } });
  for (const days of [20, 10, 0]) await produce(from, name, aged(days));
  const names = readdirSync(partitionPath(name)).sort();
  const segments = [0, 1, 2].map((base) => String(base).padStart(20, '0'));
  const expected = segments.flatMap((base) => [`${base}.index`, `${base}.log`, `${base}.timeindex`]);
  const snapshots = names.filter((file) => file.endsWith('.snapshot'));
  expect(names.filter((file) => !snapshots.includes(file))).toEqual([
    ...expected,
    'leader-epoch-checkpoint',
    'partition.metadata',
  ]);
  expect(readFileSync(join(partitionPath(name), 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n1\n0 0\n');
  expect(readFileSync(join(partitionPath(name), 'partition.metadata'), 'utf8')).toMatch(
    /^version: 0\ntopic_id: \S{22}$/,
  );
});

test('S018: an expired segment is renamed, removed after its delay, and read to the end by whoever reads it', async () => {
  const from = await start({ 'log.retention.check.interval.ms': '100', 'socket.send.buffer.bytes': '65536' });
  const configs = {
    'segment.bytes': '16777216',
    'retention.bytes': '20000000',
    'file.delete.delay.ms': '2000',
    'max.message.bytes': '2000000',
  };
  const { name } = await createTopic(from, { configs });
  const path = (suffix: string): string => join(partitionPath(name), `${''.padStart(20, '0')}${suffix}`);
  for (let index = 0; index < 12; index++) await produce(from, name, filledBatch(`${index}`, 1, 1_000_000));
  const reader = await RawClient.connect((home as BrokerHome).port);
  reader.socket.pause();
  const reading = reader.ask(Fetch, FETCH_VERSION, fetchRequest(name));
  await eventually(
    async () => (await (home as BrokerHome).broker.metrics()).leases,
    (leases) => leases > 0,
  );
  let renamed = false;
  for (let index = 12; index < 60 && !renamed; index++) {
    await produce(from, name, filledBatch(`${index}`, 1, 1_000_000));
    renamed = existsSync(path('.log.deleted'));
  }
  expect(renamed || (await eventually(() => existsSync(path('.log.deleted')), Boolean))).toBe(true);
  const ofFirst = (): string[] =>
    readdirSync(partitionPath(name)).filter((file) => file.startsWith(''.padStart(20, '0')));
  expect(await eventually(ofFirst, (files) => files.length === 0)).toEqual([]);
  reader.socket.resume();
  const fetched = fetchedOf(await reading)[0];
  expect(fetched?.batches.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  await reader.close();
  expect((await fetch(from, name, { offset: 0 })).errorCode).toBe(1);
});
