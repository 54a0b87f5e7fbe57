/** Segments of a partition on disk: when one ends, what its files are called, and that only the newest grows. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { type BrokerHome, inEveryLayout, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { baseOffsetOf, fileBatches, logFiles } from '../kit/log-files.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, produce, readAll } from '../kit/requests.ts';
import { NOW } from '../log/fixture.ts';
import { Opened } from '../log/opened.ts';

const MIB = 1_048_576;
const LAYOUTS = [ONE_THREAD, TWO_BY_THREE];

/** 5 MB in batches of three records, into segments of 1 MiB. */
async function fiveMegabytes(home: BrokerHome, partitions = 1): Promise<{ client: RawClient; topic: string }> {
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client, { partitions, configs: { 'segment.bytes': String(MIB) } });
  const batch = filledBatch('record', 3, 7_000);
  for (let partition = 0; partition < partitions; partition++)
    await produceMany(client, name, Math.floor((5 * MIB) / batch.length), () => batch, partition);
  return { client, topic: name };
}

function expectNames(partition: string): void {
  const files = logFiles(partition, '.log');
  expect(files.length).toBeGreaterThan(4);
  let next = 0;
  for (const path of files) {
    const batches = fileBatches(path);
    const first = batches[0]?.baseOffset as number;
    expect(basename(path)).toBe(`${String(first).padStart(20, '0')}.log`);
    expect(first).toBe(next);
    next = (batches.at(-1)?.lastOffset as number) + 1;
    const names = readdirSync(partition);
    for (const ending of ['.index', '.timeindex']) expect(names).toContain(basename(path).replace('.log', ending));
  }
}

inEveryLayout(
  'segments',
  (home) => {
    test('S007: 5 MB make five or six log files of 1 MiB, none of them larger', async () => {
      const { client, topic } = await fiveMegabytes(home);
      const sizes = logFiles(partitionPath(home.directory, topic), '.log').map((path) => statSync(path).size);
      expect(sizes.length).toBeGreaterThanOrEqual(5);
      expect(sizes.length).toBeLessThanOrEqual(6);
      for (const size of sizes) expect(size).toBeLessThanOrEqual(MIB);
      // Full but for less than one more batch.
      for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThan(MIB - 22_000);
      await client.close();
    });

    test('S007: a batch that no segment holds is refused, one that fills it is taken', async () => {
      const client = await RawClient.connect(home.port);
      const configs = { 'segment.bytes': String(MIB), 'max.message.bytes': String(3 * MIB) };
      const { name } = await createTopic(client, { configs });
      const overhead = filledBatch('x', 1, MIB - 100).length - (MIB - 100);
      const full = filledBatch('x', 1, MIB - overhead);
      expect(full.length).toBe(MIB);
      expect((await produce(client, name, filledBatch('x', 1, MIB - overhead + 1))).errorCode).toBe(
        ERROR.RECORD_LIST_TOO_LARGE,
      );
      for (let index = 0; index < 3; index++) expect((await produce(client, name, full)).baseOffset).toBe(index);
      const sizes = logFiles(partitionPath(home.directory, name), '.log').map((path) => statSync(path).size);
      expect(sizes).toEqual([MIB, MIB, MIB]);
      await client.close();
    });

    test('S008: a record that is younger than segment.ms allows begins a new segment', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { configs: { 'segment.ms': '5000' } });
      const segments = () => logFiles(partitionPath(home.directory, name), '.log').map(baseOffsetOf);
      const start = Date.now() - 60_000;
      const at = async (ms: number) => {
        const { errorCode } = await produce(
          client,
          name,
          batchOf([{ timestamp: start + ms, key: null, value: Buffer.from('x') }]),
        );
        expect(errorCode).toBe(0);
        return segments();
      };
      expect(await at(0)).toEqual([0]);
      expect(await at(5_000)).toEqual([0]);
      expect(await at(6_000)).toEqual([0, 2]);
      // Age is counted from the first record of the segment, and a late one changes nothing.
      expect(await at(1_000)).toEqual([0, 2]);
      expect(await at(11_000)).toEqual([0, 2]);
      expect(await at(11_001)).toEqual([0, 2, 5]);
      expect((await readAll(client, name)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3, 4, 5]);
      await client.close();
    });

    test('S013: log files are called by the first offset they hold, in 20 digits', async () => {
      const { client, topic } = await fiveMegabytes(home);
      expectNames(partitionPath(home.directory, topic));
      await client.close();
    });

    test('S014: the name is one more than the last offset of the file before', async () => {
      const { client, topic } = await fiveMegabytes(home);
      const files = logFiles(partitionPath(home.directory, topic), '.log');
      const lasts = files.map((path) => fileBatches(path).at(-1)?.lastOffset as number);
      expect(files.slice(1).map(baseOffsetOf)).toEqual(lasts.slice(0, -1).map((last) => last + 1));
      await client.close();
    });

    test('S017: only the newest segment grows, the files of older ones stay as they are', async () => {
      const { client, topic } = await fiveMegabytes(home);
      const partition = partitionPath(home.directory, topic);
      const look = () =>
        new Map(
          readdirSync(partition).map((name) => {
            const { size, mtimeMs, ino } = statSync(join(partition, name));
            return [name, `${size} ${mtimeMs} ${ino}`];
          }),
        );
      const active = basename(logFiles(partition, '.log').at(-1) as string).split('.')[0] as string;
      const before = look();
      const batch = filledBatch('later', 3, 7_000);
      await produceMany(client, topic, 120, () => batch);
      const after = look();
      const older = Array.from(before.keys()).filter((name) => /^\d{20}\./.test(name) && name < active);
      expect(older.length).toBeGreaterThanOrEqual(4 * 3);
      for (const name of older) expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      expect(after.get(`${active}.log`)).not.toBe(before.get(`${active}.log`));
      expect(logFiles(partition, '.log').length).toBeGreaterThanOrEqual(7);
      await client.close();
    });

    test('S024: a topic is a folder for each partition, each with segments of its own', async () => {
      const { client, topic } = await fiveMegabytes(home, 3);
      const folders = readdirSync(home.directory).filter((name) => name.startsWith(`${topic}-`));
      expect(folders.sort()).toEqual([0, 1, 2].map((partition) => `${topic}-${partition}`));
      for (const folder of folders) expectNames(join(home.directory, folder));
      await client.close();
    });
  },
  {},
  LAYOUTS,
);

test('S008: time alone ends no segment, the next append does', () => {
  const opened = new Opened({ config: { segmentMs: 5_000, timestampAfterMaxMs: 100_000 } });
  opened.append({ timestamp: NOW });
  opened.now = NOW + 6_000;
  expect(opened.log.retention(opened.now)).toBe(0);
  expect(opened.log.segmentCount).toBe(1);
  opened.append({ timestamp: NOW + 6_000 });
  expect(opened.names('.log')).toEqual(['00000000000000000000.log', '00000000000000000001.log']);
});
