/** librdkafka's producer, consumer and admin client in every layout, with each of its codecs and at the limits of messages. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inEveryLayout } from '../kit/broker.ts';
import { freshTopic } from '../kit/requests.ts';
import { Admin, Consumer, Producer } from './client.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const MESSAGES = 10_000;
/** A batch of one record has this much around its value: its header, lengths, key and headers. */
const MESSAGE_BYTES_MAX = 1_048_588;

inEveryLayout('librdkafka', (home) => {
  let consumer: Consumer;
  let admin: Admin;
  beforeAll(async () => {
    consumer = await Consumer.connect(home.address);
    admin = new Admin(home.address);
  });
  afterAll(async () => {
    await consumer.close();
    admin.close();
  });

  describe.each(CODECS)('codec %s', (codec) => {
    test(`${MESSAGES} messages in order, each with its offset`, async () => {
      const topic = freshTopic(`rdk-${codec}`);
      const producer = await Producer.connect(home.address, { 'compression.codec': codec, 'linger.ms': 20 });
      for (let index = 0; index < MESSAGES; index++)
        producer.send(topic, `value ${index}`, { partition: 0, opaque: index });
      await producer.flush();
      await producer.close();
      expect(producer.reports.filter(({ problem }) => problem !== null)).toEqual([]);
      // Each message is reported with its offset. The module reports from two threads, now and then in another order than the
      // answers came in.
      const reported = producer.reports.toSorted((one, other) => one.offset - other.offset);
      expect(reported.map(({ offset, opaque }) => [offset, opaque])).toEqual(
        Array.from({ length: MESSAGES }, (_, index) => [index, index]),
      );
      const messages = await consumer.read(topic, 0, 0, MESSAGES);
      expect(messages.map(({ value }) => String(value))).toEqual(
        Array.from({ length: MESSAGES }, (_, index) => `value ${index}`),
      );
    });

    test('batches of one', async () => {
      const topic = freshTopic(`rdk-single-${codec}`);
      const producer = await Producer.connect(home.address, { 'compression.codec': codec, 'batch.num.messages': 1 });
      for (let index = 0; index < 100; index++) producer.send(topic, 'x'.repeat(index * 10), { partition: 0 });
      await producer.flush();
      await producer.close();
      const messages = await consumer.read(topic, 0, 0, 100);
      expect(messages.map(({ value }) => value?.length)).toEqual(Array.from({ length: 100 }, (_, index) => index * 10));
    });
  });

  test('an idempotent producer: every message once, in order', async () => {
    const topic = freshTopic('rdk-idempotent');
    const producer = await Producer.connect(home.address, { 'enable.idempotence': true, 'linger.ms': 1 });
    for (let index = 0; index < MESSAGES; index++) producer.send(topic, String(index), { partition: 0 });
    await producer.flush();
    await producer.close();
    const messages = await consumer.read(topic, 0, 0, MESSAGES);
    expect(messages.map(({ value }) => Number(value))).toEqual(Array.from({ length: MESSAGES }, (_, index) => index));
    expect(await consumer.watermarks(topic, 0)).toEqual({ lowOffset: 0, highOffset: MESSAGES });
  });

  test('keys, nulls, headers and timestamps', async () => {
    const topic = freshTopic('rdk-shapes');
    const producer = await Producer.connect(home.address);
    producer.send(topic, 'v', { partition: 0, key: 'k', timestamp: 1_700_000_000_000, headers: [{ trace: '1' }] });
    producer.send(topic, null, { partition: 0, key: 'k', timestamp: 1_700_000_001_000 });
    producer.send(topic, '', { partition: 0, timestamp: 1_700_000_002_000 });
    await producer.flush();
    await producer.close();
    const messages = await consumer.read(topic, 0, 0, 3);
    expect(
      messages.map(({ key, value, timestamp }) => [key && String(key), value && String(value), timestamp]),
    ).toEqual([
      ['k', 'v', 1_700_000_000_000],
      ['k', null, 1_700_000_001_000],
      [null, '', 1_700_000_002_000],
    ]);
    expect(String(messages[0]?.headers?.[0]?.trace)).toBe('1');
    expect(await consumer.offsetForTime(topic, 0, 1_700_000_000_500)).toBe(1);
    expect(await consumer.offsetForTime(topic, 0, 1_700_000_002_000)).toBe(2);
  });

  test('seeks: any offset, also in the middle of a batch', async () => {
    const topic = freshTopic('rdk-seek');
    const producer = await Producer.connect(home.address, { 'linger.ms': 50 });
    for (let index = 0; index < 1000; index++) producer.send(topic, String(index), { partition: 0 });
    await producer.flush();
    await producer.close();
    for (const offset of [0, 1, 17, 499, 998, 999]) {
      const [first] = await consumer.read(topic, 0, offset, 1);
      expect([first?.offset, String(first?.value)]).toEqual([offset, String(offset)]);
    }
  });

  test('a message up to the limit is taken, a larger one is refused, the next one is taken', async () => {
    const topic = freshTopic('rdk-limit');
    const producer = await Producer.connect(home.address, { 'message.max.bytes': 4_000_000, 'linger.ms': 0 });
    const around = 61 + 1 + 1 + 1 + 1 + 1 + 3 + 3;
    for (const bytes of [MESSAGE_BYTES_MAX - around, MESSAGE_BYTES_MAX, 10]) {
      producer.send(topic, Buffer.alloc(bytes, 120), { partition: 0, opaque: bytes });
      await producer.flush();
    }
    await producer.close();
    const outcomes = producer.reports.map(({ problem, opaque }) => [
      opaque,
      problem === null ? 'taken' : problem.message,
    ]);
    expect(outcomes).toEqual([
      [MESSAGE_BYTES_MAX - around, 'taken'],
      [MESSAGE_BYTES_MAX, expect.stringMatching(/too large/i)],
      [10, 'taken'],
    ]);
  });

  test('topics: create, grow, delete records, delete', async () => {
    const topic = freshTopic('rdk-admin');
    await admin.createTopic(topic, 2, { 'retention.ms': '60000' });
    expect((await consumer.partitions(topic)).map(({ leader }) => leader)).toEqual([0, 0]);
    await expect(admin.createTopic(topic, 2)).rejects.toThrow(/exists/i);
    await admin.createPartitions(topic, 4);
    expect(await consumer.partitions(topic)).toHaveLength(4);
    const producer = await Producer.connect(home.address);
    for (let index = 0; index < 10; index++) producer.send(topic, String(index), { partition: 3 });
    await producer.flush();
    await producer.close();
    expect(await admin.deleteRecords(topic, 3, 6)).toMatchObject([{ lowWatermark: 6 }]);
    expect(await consumer.watermarks(topic, 3)).toEqual({ lowOffset: 6, highOffset: 10 });
    await admin.deleteTopic(topic);
    await expect(admin.deleteTopic(topic)).rejects.toThrow(/unknown topic/i);
  });

  test('200 rounds of create, then produce at once', async () => {
    const producer = await Producer.connect(home.address, { 'linger.ms': 0 });
    const topics = Array.from({ length: 200 }, () => freshTopic('rdk-round'));
    for (const topic of topics) {
      await admin.createTopic(topic, 1);
      producer.send(topic, 'first', { partition: 0 });
      await producer.flush();
    }
    await producer.close();
    expect(producer.reports.map(({ problem, offset }) => [problem, offset])).toEqual(topics.map(() => [null, 0]));
  });
});
