/** kill -9 under load, again and again on one directory: what was acknowledged is there, once, in order; topics stay. */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { LAYOUTS, type Layout, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, initProducer, metadata, produce, readAll } from '../kit/requests.ts';

const PARTITIONS = 4;
const CYCLES = 3;
const ACKNOWLEDGED_PER_CYCLE = 150;

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  rmSync(directory, { recursive: true, force: true });
});

async function started(layout: Layout, settings: Readonly<Record<string, string>> = {}): Promise<BrokerProcess> {
  running = new BrokerProcess(directory, layout, settings);
  return running.listening();
}

/** Everything this test has been promised, by partition: the value at each offset. */
type Promised = Map<number, string>[];

/** Writes until the connection breaks; tells of every acknowledgement. */
async function writeUntilBroken(
  port: number,
  topic: string,
  partition: number,
  cycle: number,
  acknowledged: (offset: number, value: string) => void,
): Promise<void> {
  const client = await RawClient.connect(port);
  let sent = 0;
  const one = async (): Promise<void> => {
    for (;;) {
      const value = `${cycle}/${partition}/${sent++}`.padEnd(sent % 20 === 0 ? 40_000 : 30, '.');
      const { errorCode, baseOffset } = await produce(client, topic, batchOf([value, 'second']), { partition });
      if (errorCode !== 0) throw new Error(`error ${errorCode}`);
      acknowledged(baseOffset, value);
    }
  };
  await Promise.allSettled(Array.from({ length: 4 }, one));
  await client.close();
}

async function expectKept(port: number, topic: string, promised: Promised): Promise<void> {
  const client = await RawClient.connect(port);
  for (const [partition, offsets] of promised.entries()) {
    const batches = await readAll(client, topic, { partition });
    let next = 0;
    const values = new Map<number, string | null>();
    const seen = new Set<string | null>();
    for (const { baseOffset, lastOffset, records } of batches) {
      expect([baseOffset, lastOffset]).toEqual([next, next + 1]);
      next += 2;
      const value = textOf(records[0]?.value ?? null);
      expect(seen.has(value)).toBe(false);
      seen.add(value);
      values.set(baseOffset, value);
    }
    for (const [offset, value] of offsets) expect([offset, values.get(offset)]).toEqual([offset, value]);
  }
  await client.close();
}

describe.each(LAYOUTS)(`kill -9 ($name, ${TRANSPORT})`, (layout) => {
  test.each([
    ['default settings', {}],
    ['group commit and short segments', { 'flush.group.commit': 'true', 'log.segment.bytes': '1048576' }],
  ])(
    'loses nothing acknowledged: %s',
    async (_name, settings) => {
      directory = temporaryDirectory();
      const first = await started(layout, settings);
      const client = await RawClient.connect(first.port);
      const topic = await createTopic(client, { name: 'kept', partitions: PARTITIONS });
      await client.close();
      const promised: Promised = Array.from({ length: PARTITIONS }, () => new Map());
      let broker = first;
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        let count = 0;
        let enough: () => void = () => {};
        const loaded = new Promise<void>((done) => {
          enough = done;
        });
        const { port } = broker;
        const writers = promised.map((offsets, partition) =>
          writeUntilBroken(port, topic.name, partition, cycle, (offset, value) => {
            offsets.set(offset, value);
            count += 1;
            if (count === ACKNOWLEDGED_PER_CYCLE) enough();
          }),
        );
        await loaded;
        // Topics that are being created when it dies are there whole or not at all.
        const creator = await RawClient.connect(port);
        const creating = createTopic(creator, { name: `late-${cycle}`, partitions: 3 }).then(
          () => true,
          () => false,
        );
        await broker.kill();
        const created = await creating;
        await Promise.all(writers);
        broker = await started(layout, settings);
        const reader = await RawClient.connect(broker.port);
        const { topics } = await metadata(reader, null);
        expect(topics.find(({ name }) => name === topic.name)).toMatchObject({ topicId: topic.id, errorCode: 0 });
        const late = topics.find(({ name }) => name === `late-${cycle}`);
        if (created) expect(late).toBeDefined();
        if (late !== undefined) {
          expect(late.partitions).toHaveLength(3);
          for (const partition of [0, 1, 2]) {
            expect((await produce(reader, `late-${cycle}`, batchOf(['v']), { partition })).errorCode).toBe(0);
          }
        }
        await reader.close();
        await expectKept(broker.port, topic.name, promised);
      }
      await broker.stop();
      await expectKept((await started(layout, settings)).port, topic.name, promised);
      await running?.stop();
      running = null;
    },
    60_000,
  );
});

describe(`kill -9 and idempotence (${TRANSPORT})`, () => {
  test('a retry after the crash leaves one copy', async () => {
    directory = temporaryDirectory();
    const broker = await started(LAYOUTS[1] as Layout);
    let client = await RawClient.connect(broker.port);
    const { name } = await createTopic(client);
    const { producerId, producerEpoch } = await initProducer(client);
    const batches = Array.from({ length: 4 }, (_, index) =>
      batchOf([`${index}`], { producerId, producerEpoch, baseSequence: index }),
    );
    for (const bytes of batches) await produce(client, name, bytes);
    await broker.kill();
    await client.close();
    const next = await started(LAYOUTS[1] as Layout);
    client = await RawClient.connect(next.port);
    for (const [index, bytes] of batches.entries()) {
      expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: index });
    }
    expect(await readAll(client, name)).toHaveLength(4);
    const other = await initProducer(client);
    expect(other.producerId).not.toBe(producerId);
    await client.close();
    await next.stop();
    running = null;
  });
});
