/** Starts after kill -9: the log opens whatever lies at its end, and no more of it is read than must be. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readBytes } from '../../bench/kit/process.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { appendGarbage, cutTail } from '../crash/damage.ts';
import { eventually, ONE_THREAD, TRANSPORT, TWO_BY_THREE, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, readAll } from '../kit/requests.ts';
import { seedOf } from '../kit/seeds.ts';

const TOPIC = 'recovered';
const MIB = 1_048_576;
const SLOW_MS = 120_000;

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  rmSync(directory, { recursive: true, force: true });
});

async function started(layout = ONE_THREAD, settings: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  running = await new BrokerProcess(directory, layout, settings).listening();
  return RawClient.connect(running.port);
}

describe.each([ONE_THREAD, TWO_BY_THREE])(`recovery ($name, ${TRANSPORT})`, (layout) => {
  test('X05: after kill -9 and damage at the end of a log it opens, with whole batches and nothing else', {
    timeout: SLOW_MS,
  }, async () => {
    directory = temporaryDirectory();
    const random = new SeededRandom(seedOf(`damaged ends, ${layout.name}`));
    let client = await started(layout);
    await createTopic(client, { name: TOPIC, configs: { 'segment.bytes': String(MIB) } });
    const path = partitionPath(directory, TOPIC);
    for (let round = 0; round < 3; round++) {
      await produceMany(client, TOPIC, 10, (index) => filledBatch(`${index}`, 1, 1_000 + random.below(100_000)));
      await running?.kill();
      await client.close();
      const end = cutTail(path, random);
      appendGarbage(path, end, random);
      client = await started(layout);
      // The checksum of each is looked at on the way.
      const batches = await readAll(client, TOPIC);
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: end }, (_, index) => index));
    }
    await client.close();
  });
});

describe.skipIf(!existsSync('/proc/self/io'))(`what a start reads (${TRANSPORT})`, () => {
  test('X05: nothing after a clean end, what was written since the last mark after kill -9, all of it after a power cut', {
    timeout: SLOW_MS,
  }, async () => {
    directory = temporaryDirectory();
    const settings = { 'log.flush.offset.checkpoint.interval.ms': '200' };
    let client = await started(ONE_THREAD, settings);
    await createTopic(client, { name: TOPIC });
    const count = 24;
    await produceMany(client, TOPIC, count, (index) => filledBatch(`${index}`, 1, MIB - 200));
    const marks = () => readdirSync(partitionPath(directory, TOPIC)).filter((name) => name.endsWith('.snapshot'));
    const newest = () => Math.max(...marks().map((name) => Number.parseInt(name, 10)), 0);
    expect(await eventually(newest, (offset) => offset === count)).toBe(count);
    await produceMany(client, TOPIC, 1, () => filledBatch('last', 1, 1_000));
    await client.close();
    const readByStart = async (): Promise<number> => {
      client = await started();
      const bytes = readBytes(running?.child.pid as number);
      expect(await readAll(client, TOPIC)).toHaveLength(count + 1);
      await client.close();
      return bytes;
    };
    await running?.kill();
    const afterKill = await readByStart();
    expect(running?.complaints).toMatch(/"partitions":1,"ms":\d+,"event":"partitions\.recovered"/);
    await running?.kill();
    // As if the kernel were another.
    rmSync(join(directory, 'odradek-kernel'));
    const afterPowerCut = await readByStart();
    await running?.stop();
    const afterCleanEnd = await readByStart();
    expect(afterKill - afterCleanEnd).toBeLessThan(2 * MIB);
    expect(afterPowerCut - afterCleanEnd).toBeGreaterThan(count * MIB * 0.9);
  });
});
