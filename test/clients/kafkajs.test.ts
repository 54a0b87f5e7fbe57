/** kafkajs: its admin, its producer with each compression, and its own decoding of fetched messages. */
import { CompressionCodecs, CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { compress, decompress } from '../../src/wire/compression.ts';
import { type BrokerHome, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kafkajsBroker, readPartition } from '../kit/kafkajs-broker.ts';
import { freshTopic, readAll } from '../kit/requests.ts';

const OUTPUT_MAX = 16_777_216;

// It brings gzip; the others are plugged in, as its users do.
for (const codec of [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD] as const) {
  CompressionCodecs[codec] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(compress(codec, new Uint8Array(buffer))),
    decompress: async (buffer: Buffer) => Buffer.from(decompress(codec, new Uint8Array(buffer), OUTPUT_MAX)),
  });
}

const CODECS = Object.entries({
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
});

function kafka(home: BrokerHome): Kafka {
  return new Kafka({ clientId: 'kafkajs', brokers: [home.address], logLevel: logLevel.NOTHING });
}

inEveryLayout('kafkajs', (home) => {
  test('creates a topic, lists it and its offsets', async () => {
    const admin = kafka(home).admin();
    await admin.connect();
    const topic = freshTopic('kafkajs');
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })).toBe(true);
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })).toBe(false);
    expect(await admin.listTopics()).toContain(topic);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]).sort()).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    const producer = kafka(home).producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { partition: 1, value: 'a' },
        { partition: 1, value: 'b' },
      ],
    });
    await producer.disconnect();
    const offsets = await admin.fetchTopicOffsets(topic);
    expect(offsets.map(({ partition, low, high }) => [partition, low, high]).sort()).toEqual([
      [0, '0', '0'],
      [1, '0', '2'],
      [2, '0', '0'],
    ]);
    await admin.disconnect();
  });

  test.each(CODECS)('produces and reads back, compression %s', async (_name, compression) => {
    const producer = kafka(home).producer();
    await producer.connect();
    const topic = freshTopic('kafkajs');
    const messages = Array.from({ length: 300 }, (_, index) => ({
      key: `k${index}`,
      value: `value ${index} `.repeat(20),
    }));
    const sent = await producer.send({ topic, messages, compression, acks: -1 });
    expect(sent.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([[0, '0']]);
    await producer.disconnect();
    const broker = kafkajsBroker(home.port);
    await broker.connect();
    const read = await readPartition(broker, topic);
    await broker.disconnect();
    expect(read.map(({ key, value }) => [String(key), String(value)])).toEqual(
      messages.map(({ key, value }) => [key, value]),
    );
    const client = await RawClient.connect(home.port);
    expect((await readAll(client, topic)).map(({ codec }) => codec)).toEqual([compression]);
    await client.close();
  });

  test('keys, nulls, empty values, headers and timestamps', async () => {
    const producer = kafka(home).producer();
    await producer.connect();
    const topic = freshTopic('kafkajs');
    const messages = [
      { key: 'k', value: null, timestamp: '1700000000001' },
      { key: null, value: '', timestamp: '1700000000003' },
      { key: '', value: 'v', timestamp: '1700000000002', headers: { a: '1', b: Buffer.from([0, 255]), empty: '' } },
    ];
    await producer.send({ topic, messages });
    await producer.disconnect();
    const broker = kafkajsBroker(home.port);
    await broker.connect();
    const read = await readPartition(broker, topic);
    await broker.disconnect();
    expect(
      read.map(({ key, value, timestamp }) => [key?.toString() ?? null, value?.toString() ?? null, timestamp]),
    ).toEqual([
      ['k', null, '1700000000001'],
      [null, '', '1700000000003'],
      ['', 'v', '1700000000002'],
    ]);
    expect(read[2]?.headers).toEqual({ a: Buffer.from('1'), b: Buffer.from([0, 255]), empty: Buffer.from('') });
  });

  test('acks 0 and 1, and an idempotent producer', async () => {
    const topic = freshTopic('kafkajs');
    const producer = kafka(home).producer();
    await producer.connect();
    await producer.send({ topic, acks: 1, messages: [{ value: 'one' }] });
    await producer.send({ topic, acks: 0, messages: [{ value: 'none' }] });
    await producer.send({ topic, acks: 1, messages: [{ value: 'two' }] });
    await producer.disconnect();
    const idempotent = kafka(home).producer({ idempotent: true });
    await idempotent.connect();
    for (let batch = 0; batch < 10; batch++) await idempotent.send({ topic, messages: [{ value: `batch ${batch}` }] });
    await idempotent.disconnect();
    const broker = kafkajsBroker(home.port);
    await broker.connect();
    const values = (await readPartition(broker, topic)).map(({ value }) => String(value));
    await broker.disconnect();
    expect(values).toEqual(['one', 'none', 'two', ...Array.from({ length: 10 }, (_, batch) => `batch ${batch}`)]);
  });
});
