/** Each client at the edges: the largest message and one byte more, batches of one and of ten thousand, seeks and times. */
import { Consumer, Producer, stringSerializers } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BrokerHome, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kafkajsBroker } from '../kit/kafkajs-broker.ts';
import { kcat, kcatOk, kcatRead } from '../kit/kcat.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, listOffset, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const LIMIT_BYTES = 100_000;
const MANY = 10_000;
const FIRST_TIME = 1_700_000_000_000;
const SECOND_MS = 1_000;

/** Sends these values as one batch. Rejects when the broker refuses it. */
type Send = (home: BrokerHome, topic: string, values: readonly string[]) => Promise<void>;

const SENDERS: Record<string, Send> = {
  kcat: async (home, topic, values) => {
    const options = ['batch.num.messages=10000', 'batch.size=2000000', 'message.max.bytes=2000000', 'linger.ms=1000'];
    const words = ['-P', '-b', home.address, '-t', topic, ...options.flatMap((option) => ['-X', option])];
    const { code, stderr } = await kcat(words, `${values.join('\n')}\n`);
    // A message that is refused is said, and the exit code does not always tell.
    if (code !== 0 || stderr.includes('Delivery failed')) throw new Error(stderr);
  },
  kafkajs: async (home, topic, values) => {
    const kafka = new Kafka({ clientId: 'limits', brokers: [home.address], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ retry: { retries: 0 } });
    await producer.connect();
    try {
      await producer.send({ topic, messages: values.map((value) => ({ value })) });
    } finally {
      await producer.disconnect();
    }
  },
  '@platformatic/kafka': async (home, topic, values) => {
    const options = { clientId: 'limits', bootstrapBrokers: [home.address], retries: 0 };
    const producer = new Producer({ ...options, serializers: stringSerializers });
    try {
      await producer.send({ messages: values.map((value) => ({ topic, value })) });
    } finally {
      await producer.close();
    }
  },
};

inEveryLayout('limits of clients', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  describe.each(Object.entries(SENDERS))('%s', (tool, send) => {
    const runs = test.skipIf(tool === 'kcat' && !hasTool('kcat'));

    runs('a message as large as max.message.bytes is taken, one byte more is refused', async () => {
      const { name } = await createTopic(client, { configs: { 'max.message.bytes': String(LIMIT_BYTES) } });
      // How much a batch of one message has around its value, at about this size.
      await send(home, name, ['x'.repeat(LIMIT_BYTES - 1_000)]);
      const [probe] = await readAll(client, name);
      const around = (probe?.sizeBytes as number) - (LIMIT_BYTES - 1_000);
      await send(home, name, ['y'.repeat(LIMIT_BYTES - around)]);
      expect((await readAll(client, name)).at(-1)?.sizeBytes).toBe(LIMIT_BYTES);
      await expect(send(home, name, ['z'.repeat(LIMIT_BYTES - around + 1)])).rejects.toThrow();
      expect((await listOffset(client, name, -1)).offset).toBe(2);
    });

    runs.each([1, MANY])('a batch of %i records', async (count) => {
      const { name } = await createTopic(client);
      const values = Array.from({ length: count }, (_, index) => `value ${index}`);
      await send(home, name, values);
      const batches = await readAll(client, name);
      expect(Math.max(...batches.map(({ records }) => records.length))).toBeGreaterThanOrEqual(count / 2);
      expect(batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)))).toEqual(values);
    });
  });

  describe('seeks and times', () => {
    const COUNT = 300;
    let topic = '';
    beforeAll(async () => {
      ({ name: topic } = await createTopic(client, { configs: { 'retention.ms': '-1' } }));
      for (let first = 0; first < COUNT; first += 10) {
        const records = Array.from({ length: 10 }, (_, index) => ({
          timestamp: FIRST_TIME + (first + index) * SECOND_MS,
          key: null,
          value: Buffer.from(`value ${first + index}`),
        }));
        expect((await produce(client, topic, batchOf(records))).errorCode).toBe(0);
      }
    });

    test.skipIf(!hasTool('kcat'))('kcat: an offset, one from the end, a time and the ends', async () => {
      const from = async (offset: string): Promise<number[]> => {
        const words = ['-C', '-b', home.address, '-t', topic, '-p', '0', '-o', offset, '-e', '-q', '-f', '%o\n'];
        return (await kcatOk(words)).split('\n').filter(Boolean).map(Number);
      };
      const rest = (first: number) => Array.from({ length: COUNT - first }, (_, index) => first + index);
      expect(await from('0')).toEqual(rest(0));
      expect(await from('123')).toEqual(rest(123));
      expect(await from('-7')).toEqual(rest(COUNT - 7));
      expect(await from(`s@${FIRST_TIME + 205 * SECOND_MS - 1}`)).toEqual(rest(205));
      expect(await from('end')).toEqual([]);
      const [first] = await kcatRead(home.address, topic);
      expect([first?.ts, first?.tstype]).toEqual([FIRST_TIME, 'create']);
    });

    test('kafkajs: an offset in the middle of a batch, and offsets of times', async () => {
      const kafka = new Kafka({ clientId: 'limits', brokers: [home.address], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const at = async (time: number) => (await admin.fetchTopicOffsetsByTimestamp(topic, time))[0]?.offset;
      expect(await at(FIRST_TIME)).toBe('0');
      expect(await at(FIRST_TIME + 205 * SECOND_MS - 1)).toBe('205');
      // Behind the last one it is the end.
      expect(await at(FIRST_TIME + COUNT * SECOND_MS)).toBe(String(COUNT));
      await admin.disconnect();
      const broker = kafkajsBroker(home.port);
      await broker.connect();
      for (const offset of [0, 123, 299]) {
        const partitions = [{ partition: 0, fetchOffset: String(offset), maxBytes: 1_048_576 }];
        const { responses } = await broker.fetch({ maxWaitTime: 10, topics: [{ topic, partitions }] });
        const messages = responses[0]?.partitions[0]?.messages.filter((one) => Number(one.offset) >= offset);
        expect(messages?.map((one) => Number(one.offset))).toEqual(
          Array.from({ length: COUNT - offset }, (_, index) => offset + index),
        );
        expect(Number(messages?.[0]?.timestamp)).toBe(FIRST_TIME + offset * SECOND_MS);
      }
      await broker.disconnect();
    });

    test('@platformatic/kafka: an offset in the middle of a batch, and offsets of times', async () => {
      const options = { clientId: 'limits', bootstrapBrokers: [home.address], retries: 0 };
      const consumer = new Consumer({ ...options, groupId: 'none', maxWaitTime: 10 });
      consumer.topics.track(topic);
      const at = async (time: number) =>
        (await consumer.listOffsets({ topics: [topic], timestamp: BigInt(time) })).get(topic)?.[0];
      expect(await at(FIRST_TIME)).toBe(0n);
      expect(await at(FIRST_TIME + 205 * SECOND_MS - 1)).toBe(205n);
      const id = (await consumer.metadata({ topics: [topic] })).topics.get(topic)?.id as string;
      const partition = { partition: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1_048_576 };
      const answer = await consumer.fetch({
        node: 0,
        topics: [{ topicId: id, partitions: [{ ...partition, fetchOffset: 123n }] }],
      });
      const batches = answer.responses.flatMap(({ partitions }) => partitions.flatMap(({ records }) => records ?? []));
      const found = batches.flatMap(({ firstOffset, firstTimestamp, records }) =>
        records.map(({ offsetDelta, timestampDelta }) => [
          Number(firstOffset) + offsetDelta,
          Number(firstTimestamp + timestampDelta),
        ]),
      );
      expect(found.filter(([offset]) => (offset as number) >= 123)).toEqual(
        Array.from({ length: COUNT - 123 }, (_, index) => [123 + index, FIRST_TIME + (123 + index) * SECOND_MS]),
      );
      await consumer.close();
    });
  });
});
