/** @platformatic/kafka: admin, producer with each compression, and fetches by its consumer without a group. */
import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { type BrokerHome, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { textOf } from '../kit/records.ts';
import { freshTopic, readAll } from '../kit/requests.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

function base(home: BrokerHome) {
  return { clientId: 'platformatic', bootstrapBrokers: [home.address], retries: 0 };
}

function producer(home: BrokerHome) {
  return new Producer({ ...base(home), serializers: stringSerializers });
}

async function create(home: BrokerHome, partitions = 1): Promise<{ topic: string; id: string }> {
  const topic = freshTopic('platformatic');
  const admin = new Admin(base(home));
  const [created] = await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  await admin.close();
  return { topic, id: (created as { id: string }).id };
}

interface Read {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: bigint;
  readonly headers: [string, string][];
}

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

function recordsOf(response: FetchResponse): Read[] {
  const batches = response.responses.flatMap(({ partitions }) => partitions.flatMap(({ records }) => records ?? []));
  return batches.flatMap(({ firstOffset, firstTimestamp, records }) =>
    records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
      offset: firstOffset + BigInt(offsetDelta),
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      timestamp: firstTimestamp + timestampDelta,
      headers: Array.from(headers, ([name, text]): [string, string] => [String(name), String(text)]),
    })),
  );
}

/** Everything in partition 0, by as many fetches of one session as it takes. */
async function read(home: BrokerHome, topic: string, id: string): Promise<Read[]> {
  const consumer = new Consumer({ ...base(home), groupId: 'none', maxWaitTime: 10 });
  consumer.topics.track(topic);
  const found: Read[] = [];
  for (;;) {
    const fetchOffset = found.length === 0 ? 0n : (found.at(-1) as Read).offset + 1n;
    const partition = {
      partition: 0,
      currentLeaderEpoch: -1,
      fetchOffset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1_048_576,
    };
    const response = await consumer.fetch({ node: 0, topics: [{ topicId: id, partitions: [partition] }] });
    const fresh = recordsOf(response).filter(({ offset }) => offset >= fetchOffset);
    if (fresh.length === 0) break;
    found.push(...fresh);
  }
  await consumer.close();
  return found;
}

inEveryLayout('@platformatic/kafka', (home) => {
  test('creates a topic and reads its metadata', async () => {
    const { topic, id } = await create(home, 3);
    const admin = new Admin(base(home));
    expect(await admin.listTopics()).toContain(topic);
    const metadata = await admin.metadata({ topics: [topic] });
    expect(metadata.topics.get(topic)).toMatchObject({ id, partitionsCount: 3 });
    await admin.close();
  });

  test.each(CODECS)('produces and reads back, compression %s', async (compression) => {
    const { topic, id } = await create(home);
    const sender = producer(home);
    const messages = Array.from({ length: 300 }, (_, index) => ({
      topic,
      key: `k${index}`,
      value: `value ${index} `.repeat(20),
    }));
    const sent = await sender.send({ messages, compression, acks: -1 });
    expect(sent.offsets).toEqual([{ topic, partition: 0, offset: 0n }]);
    await sender.close();
    const found = await read(home, topic, id);
    expect(found.map(({ key, value }) => [key, value])).toEqual(messages.map(({ key, value }) => [key, value]));
    const client = await RawClient.connect(home.port);
    expect((await readAll(client, topic)).map(({ codec }) => codec)).toEqual([CODECS.indexOf(compression)]);
    await client.close();
  });

  test('keys, empty values, headers and timestamps', async () => {
    const { topic, id } = await create(home);
    const sender = producer(home);
    await sender.send({
      messages: [
        { topic, key: 'k', value: '', timestamp: 1_700_000_000_001n },
        { topic, value: 'v', timestamp: 1_700_000_000_000n, headers: { a: '1', b: '' } },
      ],
    });
    await sender.close();
    expect(await read(home, topic, id)).toEqual([
      { offset: 0n, key: 'k', value: '', timestamp: 1_700_000_000_001n, headers: [] },
      {
        offset: 1n,
        key: null,
        value: 'v',
        timestamp: 1_700_000_000_000n,
        headers: [
          ['a', '1'],
          ['b', ''],
        ],
      },
    ]);
  });

  test('an idempotent producer', async () => {
    const { topic, id } = await create(home);
    const sender = new Producer({ ...base(home), serializers: stringSerializers, idempotent: true });
    for (let batch = 0; batch < 20; batch++) await sender.send({ messages: [{ topic, value: `batch ${batch}` }] });
    await sender.close();
    expect((await read(home, topic, id)).map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, (_, batch) => `batch ${batch}`),
    );
  });

  test('offsets of the ends of a partition', async () => {
    const { topic } = await create(home);
    const sender = producer(home);
    await sender.send({
      messages: [
        { topic, value: 'a' },
        { topic, value: 'b' },
      ],
    });
    await sender.close();
    const consumer = new Consumer({ ...base(home), groupId: 'none' });
    expect((await consumer.listOffsets({ topics: [topic] })).get(topic)).toEqual([2n]);
    expect((await consumer.listOffsets({ topics: [topic], timestamp: -2n })).get(topic)).toEqual([0n]);
    await consumer.close();
  });

  test('a topic that is created on the way', async () => {
    const topic = freshTopic('platformatic');
    const sender = producer(home);
    await sender.send({ messages: [{ topic, value: 'first' }], autocreateTopics: true });
    await sender.close();
    const client = await RawClient.connect(home.port);
    const [batch] = await readAll(client, topic);
    await client.close();
    expect(textOf(batch?.records[0]?.value ?? null)).toBe('first');
  });
});
