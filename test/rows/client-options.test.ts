/** Options of clients, and what the broker sees and answers when they are set. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Producer, stringSerializers } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, LAYOUTS, TRANSPORT } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kcat, kcatOk, kcatRead } from '../kit/kcat.ts';
import { textOf } from '../kit/records.ts';
import { createTopic, listOffset, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { producedBatches, WireProxy } from '../kit/wire-proxy.ts';

const COUNT = 2_000;
const BATCH_SIZE = 16_384;
const LINES = Array.from({ length: COUNT }, (_, index) => `${index}`.padEnd(500, '.'));

describe.each(LAYOUTS)(`client options ($name, ${TRANSPORT})`, (layout) => {
  let proxy: WireProxy;
  let home: BrokerHome;
  let client: RawClient;
  beforeAll(async () => {
    proxy = await WireProxy.listen();
    home = new BrokerHome(layout, { settings: proxy.settings });
    await home.start();
    proxy.target = home.port;
    client = await RawClient.connect(home.port);
  });
  beforeEach(() => proxy.reset());
  afterAll(async () => {
    await client.close();
    await proxy.close();
    await home.end();
  });

  function kafka(): Kafka {
    return new Kafka({ clientId: 'rows', brokers: [proxy.address], logLevel: logLevel.NOTHING });
  }

  function producing(topic: string, options: readonly string[]): string[] {
    return ['-P', '-b', proxy.address, '-t', topic, ...options.flatMap((option) => ['-X', option])];
  }

  async function values(topic: string): Promise<(string | null)[]> {
    const batches = await readAll(client, topic);
    return batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)));
  }

  test('S087: sends that are waited for one by one, and many at once, all arrive', async () => {
    const { name } = await createTopic(client);
    const producer = new Producer({
      clientId: 'rows',
      bootstrapBrokers: [proxy.address],
      serializers: stringSerializers,
      retries: 0,
    });
    for (let index = 0; index < 20; index++) {
      const { offsets } = await producer.send({ messages: [{ topic: name, value: `sync ${index}` }] });
      expect(offsets?.map(({ offset }) => offset)).toEqual([BigInt(index)]);
    }
    const sent = Array.from({ length: 50 }, (_, index) =>
      producer.send({ messages: [{ topic: name, value: `async ${index}` }] }),
    );
    const offsets = (await Promise.all(sent)).flatMap((one) => one.offsets?.map(({ offset }) => offset) ?? []);
    expect(offsets.toSorted((a, b) => Number(a - b))).toEqual(
      Array.from({ length: 50 }, (_, index) => BigInt(20 + index)),
    );
    await producer.close();
    expect(new Set((await values(name)).slice(20))).toEqual(
      new Set(Array.from({ length: 50 }, (_, index) => `async ${index}`)),
    );
  });

  test('S089: a retriable error is tried again `retries` times, then told', async () => {
    const { name } = await createTopic(client, { configs: { 'min.insync.replicas': '2' } });
    const producer = kafka().producer({ retry: { retries: 3, initialRetryTime: 10 } });
    await producer.connect();
    await expect(producer.send({ topic: name, acks: -1, messages: [{ value: 'v' }] })).rejects.toMatchObject({
      message: expect.stringMatching(/in-sync replicas/i),
    });
    await producer.disconnect();
    expect(proxy.produced).toHaveLength(4);
    expect(proxy.produceErrors).toEqual(Array(4).fill(ERROR.NOT_ENOUGH_REPLICAS));
    expect(await values(name)).toEqual([]);
  });

  test('S097: send resolves with the base offset of each partition', async () => {
    const { name } = await createTopic(client, { partitions: 3 });
    const producer = kafka().producer();
    await producer.connect();
    const messages = [0, 1, 1, 2, 2, 2].map((partition) => ({ partition, value: `in ${partition}` }));
    for (const round of [0, 1]) {
      const sent = await producer.send({ topic: name, messages });
      const offsets = sent.map(({ partition, errorCode, baseOffset }) => [partition, errorCode, baseOffset]);
      expect(offsets.toSorted()).toEqual([0, 1, 2].map((partition) => [partition, 0, String(round * (partition + 1))]));
    }
    await producer.disconnect();
  });

  describe.skipIf(!hasTool('kcat'))('kcat', () => {
    test('S088: what a killed client had in its buffer was never acknowledged, what was acknowledged stays', async () => {
      const { name } = await createTopic(client);
      await kcatOk(producing(name, []), 'acknowledged\n');
      const child = spawn('kcat', producing(name, ['linger.ms=600000', 'message.timeout.ms=900000']), {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const known = proxy.requests.length;
      child.stdin.write('buffered\n'.repeat(COUNT));
      // It is connected and has asked about its topic.
      await proxy.passed(known + 2);
      child.kill('SIGKILL');
      await once(child, 'close');
      expect(proxy.produced).toHaveLength(1);
      expect(await values(name)).toEqual(['acknowledged']);
    });

    test('S090: tries again after retry.backoff.ms, as often as it is told to', async () => {
      const { name } = await createTopic(client, { configs: { 'min.insync.replicas': '2' } });
      const options = ['retry.backoff.ms=10', 'message.send.max.retries=3', 'acks=all', 'enable.idempotence=false'];
      const { code, stderr } = await kcat(producing(name, options), 'v\n');
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/in-?sync replicas/i);
      expect(proxy.produceErrors).toEqual(Array(4).fill(ERROR.NOT_ENOUGH_REPLICAS));
    });

    test('S091: a buffer that is full makes its client wait, and nothing is lost', async () => {
      const { name } = await createTopic(client);
      await kcatOk(producing(name, ['queue.buffering.max.messages=10', 'linger.ms=0']), `${LINES.join('\n')}\n`);
      for (const passed of proxy.produced) {
        for (const { records } of producedBatches(passed)) expect(records.length).toBeLessThanOrEqual(10);
      }
      expect(await values(name)).toEqual(LINES);
    });

    test('S092: batches come near batch.size under load, and not above it', async () => {
      const { name } = await createTopic(client);
      await kcatOk(producing(name, [`batch.size=${BATCH_SIZE}`, 'linger.ms=1000']), `${LINES.join('\n')}\n`);
      const sizes = proxy.produced.flatMap((passed) => producedBatches(passed).map(({ sizeBytes }) => sizeBytes));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(BATCH_SIZE + 1_024);
      expect(sizes.filter((bytes) => bytes > 0.8 * BATCH_SIZE).length).toBeGreaterThan(sizes.length * 0.8);
      expect((await kcatRead(home.address, name)).map(({ payload }) => payload)).toEqual(LINES);
    });

    test('S093: a batch that is not full leaves when linger.ms is over, while its client goes on', async () => {
      const { name } = await createTopic(client);
      const child = spawn('kcat', producing(name, ['linger.ms=50', 'batch.size=1000000']), {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      // More than it takes from its input at once.
      child.stdin.write(`${LINES.slice(0, 100).join('\n')}\n`);
      await proxy.seen(Produce.key, 1);
      expect(child.exitCode).toBe(null);
      child.stdin.end();
      await once(child, 'close');
      const counts = proxy.produced.flatMap((passed) => producedBatches(passed).map(({ records }) => records.length));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
      expect((await listOffset(client, name, -1)).offset).toBe(100);
    });
  });
});
