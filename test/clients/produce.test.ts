/** Produce as it is on the wire: order, acknowledgements, refusals, idempotence. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidOfBytes, ZERO_UUID } from '../../src/base/uuid.ts';
import { CODEC, CRC_AT, HEADER_BYTES } from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import {
  createTopic,
  fetch,
  freshTopic,
  initProducer,
  listOffset,
  metadata,
  PRODUCE_VERSION,
  produce,
  produceRequest,
  readAll,
} from '../kit/requests.ts';

const [FIRST_VERSION, LAST_VERSION] = Produce.versions;
const BY_ID_SINCE = 13;
const VERSIONS = Array.from({ length: LAST_VERSION - FIRST_VERSION + 1 }, (_, index) => FIRST_VERSION + index);

inEveryLayout('produce', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each(VERSIONS)('version %i', async (version) => {
    const { name, id } = await createTopic(client);
    const first = await produce(client, name, batchOf(['a', 'b']), { version, topicId: id });
    expect(first).toMatchObject({ index: 0, errorCode: 0, baseOffset: 0, logAppendTimeMs: -1 });
    if (version >= 5) expect(first.logStartOffset).toBe(0);
    const second = await produce(client, name, batchOf(['c']), { version, topicId: id });
    expect(second.baseOffset).toBe(2);
    const [one, two] = await readAll(client, name);
    expect(one?.records.map(({ value }) => textOf(value))).toEqual(['a', 'b']);
    expect(two?.leaderEpoch).toBe(0);
  });

  test('answers come in the order of the requests, with offsets in order', async () => {
    const { name } = await createTopic(client);
    const count = 200;
    const answers = Array.from({ length: count }, (_, index) => produce(client, name, batchOf([`${index}`, 'x'])));
    const offsets = (await Promise.all(answers)).map(({ baseOffset }) => baseOffset);
    expect(offsets).toEqual(Array.from({ length: count }, (_, index) => index * 2));
    const values = (await readAll(client, name)).map(({ records }) => textOf(records[0]?.value ?? null));
    expect(values).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
  });

  test('large and small requests mixed keep their order', async () => {
    const { name } = await createTopic(client, { partitions: 4 });
    const sizes = [10, 300_000, 10, 70_000, 900_000, 10, 65_536, 20];
    const answers = sizes.map((bytes, index) =>
      produce(client, name, filledBatch(`${index}`, 1, bytes), { partition: index % 4 }),
    );
    const offsets = (await Promise.all(answers)).map(({ errorCode, baseOffset }) => [errorCode, baseOffset]);
    expect(offsets).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    for (let partition = 0; partition < 4; partition++) {
      const stored = (await readAll(client, name, { partition })).map(({ records }) => records[0]?.value?.length);
      expect(stored).toEqual([sizes[partition], sizes[partition + 4]]);
    }
  });

  test('many partitions in one request, each with its own answer', async () => {
    const { name } = await createTopic(client, { partitions: 12 });
    const partitions = Array.from({ length: 13 }, (_, index) => index);
    const { responses } = await client.call(Produce, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5_000,
      topicData: [
        {
          name,
          topicId: '\0'.repeat(16),
          partitionData: partitions.map((index) => ({ index, records: batchOf(Array(index + 1).fill('v')) })),
        },
      ],
    });
    expect(responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode])).toEqual([
      ...partitions.slice(0, 12).map((index) => [index, 0]),
      [12, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    for (const partition of partitions.slice(0, 12)) {
      expect((await listOffset(client, name, -1, { partition })).offset).toBe(partition + 1);
    }
  });

  test('acks=0 has no answer, and the next request has its own', async () => {
    const { name } = await createTopic(client);
    const { bytes } = client.frame(Produce, PRODUCE_VERSION, produceRequest(name, batchOf(['quiet']), { acks: 0 }));
    client.write(bytes);
    const next = await produce(client, name, batchOf(['loud']), { acks: 1 });
    expect(next).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  test('acks=0 that fails closes the connection, behind the answers before it', async () => {
    const other = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    const before = produce(other, name, batchOf(['before']));
    const { bytes } = other.frame(
      Produce,
      PRODUCE_VERSION,
      produceRequest(name, batchOf(['x']), { acks: 0, partition: 9 }),
    );
    other.write(bytes);
    expect((await before).errorCode).toBe(0);
    await other.ended;
    expect((await produce(client, name, batchOf(['after']))).errorCode).toBe(0);
  });

  test.each([1, -1])('acks=%i', async (acks) => {
    const { name } = await createTopic(client);
    expect(await produce(client, name, batchOf(['a']), { acks })).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  describe.each([0, 1, 2])('version %i, which is announced and not served', (version) => {
    test('is refused in its own words, partition by partition', async () => {
      const { name } = await createTopic(client, { partitions: 2 });
      const partitionData = [0, 1, 5].map((index) => ({ index, records: batchOf(['old']) }));
      const topicData = [name, freshTopic('nowhere')].map((each) => ({
        name: each,
        topicId: ZERO_UUID,
        partitionData,
      }));
      const request = { transactionalId: null, acks: -1, timeoutMs: 5_000, topicData };
      const { responses } = await client.call(Produce, version, request);
      const refused = { errorCode: ERROR.UNSUPPORTED_VERSION, baseOffset: -1, logAppendTimeMs: -1 };
      expect(responses).toMatchObject(
        topicData.map(({ name: each }) => ({
          name: each,
          partitionResponses: [0, 1, 5].map((index) => ({ index, ...refused })),
        })),
      );
      expect((await listOffset(client, name, -1)).offset).toBe(0);
      expect((await produce(client, name, batchOf(['new']))).errorCode).toBe(0);
    });

    test('closes the connection when no answer is wanted', async () => {
      const other = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      other.write(other.frame(Produce, version, produceRequest(name, batchOf(['old']), { acks: 0 })).bytes);
      await other.ended;
      expect((await listOffset(client, name, -1)).offset).toBe(0);
    });
  });

  describe('refuses', () => {
    test('a topic and a partition that are not there', async () => {
      const { name } = await createTopic(client);
      const unknown = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
      expect((await produce(client, freshTopic('nowhere'), batchOf(['a']))).errorCode).toBe(unknown);
      expect((await produce(client, name, batchOf(['a']), { partition: 1 })).errorCode).toBe(unknown);
      expect((await produce(client, name, batchOf(['a']), { partition: -1 })).errorCode).toBe(unknown);
    });

    test('a topic id that is not there', async () => {
      const topicId = uuidOfBytes(randomBytes(16));
      const answer = await produce(client, '', batchOf(['a']), { version: BY_ID_SINCE, topicId });
      expect(answer.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    });

    test.each([2, -2, 100])('acks=%i', async (acks) => {
      const { name } = await createTopic(client);
      expect((await produce(client, name, batchOf(['a']), { acks })).errorCode).toBe(ERROR.INVALID_REQUIRED_ACKS);
      expect((await listOffset(client, name, -1)).offset).toBe(0);
    });

    test('a batch with a wrong checksum, in the header, the body or the sum itself', async () => {
      const { name } = await createTopic(client);
      for (const at of [CRC_AT, CRC_AT + 10, HEADER_BYTES + 3]) {
        const damaged = batchOf(['abcdef']);
        damaged[at] = (damaged[at] as number) ^ 0x20;
        expect((await produce(client, name, damaged)).errorCode).toBe(ERROR.CORRUPT_MESSAGE);
      }
      expect((await listOffset(client, name, -1)).offset).toBe(0);
    });

    test('a batch that is cut short, and a damaged one behind one', async () => {
      const { name } = await createTopic(client);
      const whole = batchOf(['abcdef']);
      for (const length of [1, 11, HEADER_BYTES - 1, HEADER_BYTES, whole.length - 1]) {
        expect((await produce(client, name, whole.subarray(0, length))).errorCode).not.toBe(0);
      }
      const longer = new Uint8Array([...whole, ...new Uint8Array(HEADER_BYTES)]);
      expect((await produce(client, name, longer)).errorCode).not.toBe(0);
      expect((await listOffset(client, name, -1)).offset).toBe(0);
    });

    test('no records', async () => {
      const { name } = await createTopic(client);
      expect((await produce(client, name, null)).errorCode).not.toBe(0);
      expect((await produce(client, name, new Uint8Array(0))).errorCode).not.toBe(0);
    });

    test('a batch above max.message.bytes', async () => {
      const { name } = await createTopic(client, { configs: { 'max.message.bytes': '2000' } });
      const fits = filledBatch('fits', 1, 1_900);
      expect((await produce(client, name, fits)).errorCode).toBe(0);
      expect((await produce(client, name, filledBatch('large', 1, 2_000))).errorCode).toBe(ERROR.MESSAGE_TOO_LARGE);
      expect((await listOffset(client, name, -1)).offset).toBe(1);
    });

    test('one bad partition, and takes the good one', async () => {
      const { name } = await createTopic(client, { partitions: 2 });
      const damaged = batchOf(['bad']);
      damaged[CRC_AT] = (damaged[CRC_AT] as number) ^ 1;
      const { responses } = await client.call(Produce, PRODUCE_VERSION, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          {
            name,
            topicId: '\0'.repeat(16),
            partitionData: [
              { index: 0, records: damaged },
              { index: 1, records: batchOf(['good']) },
            ],
          },
        ],
      });
      expect(responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([ERROR.CORRUPT_MESSAGE, 0]);
    });

    test('records without a key in a compacted topic, taken whole or not at all', async () => {
      const { name } = await createTopic(client, { configs: { 'cleanup.policy': 'compact' } });
      expect((await produce(client, name, batchOf(['no key']))).errorCode).toBe(ERROR.INVALID_RECORD);
      const keyed = batchOf([{ timestamp: Date.now(), key: Buffer.from('k'), value: null }]);
      expect((await produce(client, name, keyed)).errorCode).toBe(0);
    });
  });

  describe('idempotent', () => {
    test('the same batch again leaves one copy and has the first offsets, now and after a restart', async () => {
      const { name } = await createTopic(client);
      const { producerId, producerEpoch } = await initProducer(client);
      const batches = Array.from({ length: 5 }, (_, index) =>
        batchOf([`${index}a`, `${index}b`], { producerId, producerEpoch, baseSequence: index * 2 }),
      );
      for (const [index, bytes] of batches.entries()) {
        expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: index * 2 });
      }
      for (const [index, bytes] of batches.entries()) {
        expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: index * 2 });
      }
      await client.close();
      await home.restart();
      client = await RawClient.connect(home.port);
      // What is kept on disk is each producer's last batch, as Kafka's snapshots have it; one before that is known as old.
      const last = batches.pop() as Uint8Array;
      expect(await produce(client, name, last)).toMatchObject({ errorCode: 0, baseOffset: 8 });
      for (const bytes of batches) {
        expect((await produce(client, name, bytes)).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
      }
      expect((await listOffset(client, name, -1)).offset).toBe(10);
      const next = batchOf(['next'], { producerId, producerEpoch, baseSequence: 10 });
      expect(await produce(client, name, next)).toMatchObject({ errorCode: 0, baseOffset: 10 });
      expect((await readAll(client, name)).map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4, 6, 8, 10]);
    });

    test('a pipelined retry gets the offset of the one before it', async () => {
      const { name } = await createTopic(client);
      const { producerId, producerEpoch } = await initProducer(client);
      const bytes = batchOf(['once'], { producerId, producerEpoch, baseSequence: 0 });
      const answers = await Promise.all([1, 2, 3].map(() => produce(client, name, bytes)));
      expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
      expect((await listOffset(client, name, -1)).offset).toBe(1);
    });

    test('a gap in the sequence is refused', async () => {
      const { name } = await createTopic(client);
      const { producerId, producerEpoch } = await initProducer(client);
      const at = (baseSequence: number) => batchOf(['v'], { producerId, producerEpoch, baseSequence });
      expect((await produce(client, name, at(0))).errorCode).toBe(0);
      expect((await produce(client, name, at(2))).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect((await produce(client, name, at(1))).errorCode).toBe(0);
    });

    test('an older epoch is refused, a newer one starts at zero', async () => {
      const { name } = await createTopic(client);
      const { producerId } = await initProducer(client);
      const at = (producerEpoch: number, baseSequence: number) =>
        batchOf(['v'], { producerId, producerEpoch, baseSequence });
      expect((await produce(client, name, at(1, 0))).errorCode).toBe(0);
      expect((await produce(client, name, at(0, 1))).errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH);
      expect((await produce(client, name, at(2, 0))).errorCode).toBe(0);
    });

    test('producers have ids of their own', async () => {
      const ids = await Promise.all(Array.from({ length: 50 }, () => initProducer(client)));
      expect(new Set(ids.map(({ producerId }) => producerId)).size).toBe(50);
    });
  });

  test('log append time is the broker’s and is said in the answer', async () => {
    const { name } = await createTopic(client, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    const before = Date.now();
    const old = batchOf([{ timestamp: 1_000, key: null, value: Buffer.from('v') }]);
    const { errorCode, logAppendTimeMs } = await produce(client, name, old);
    expect(errorCode).toBe(0);
    expect(logAppendTimeMs).toBeGreaterThanOrEqual(before);
    const { batches } = await fetch(client, name);
    expect(batches[0]?.records.map(({ timestamp }) => timestamp)).toEqual([logAppendTimeMs]);
  });

  test.each(Object.entries(CODEC))('compression %s is kept as it came', async (_name, codec) => {
    const { name } = await createTopic(client);
    const sent = batchOf(Array(100).fill('the same again'), codec === CODEC.NONE ? {} : { codec });
    await produce(client, name, sent);
    const { batches, bytes } = await fetch(client, name);
    expect([batches[0]?.codec, batches[0]?.records.length, bytes]).toEqual([codec, 100, sent.length]);
  });

  test('a topic that is asked for is created on the way, where that is allowed', async () => {
    const wanted = freshTopic('wanted');
    expect((await metadata(client, [wanted])).topics[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const created = await metadata(client, [wanted], { autoCreate: true });
    expect(created.topics[0]).toMatchObject({ errorCode: 0, name: wanted });
    expect(created.topics[0]?.partitions).toHaveLength(1);
    expect((await produce(client, wanted, batchOf(['at once']))).errorCode).toBe(0);
    const refused = await metadata(client, ['no/such name'], { autoCreate: true });
    expect(refused.topics[0]?.errorCode).toBe(ERROR.INVALID_TOPIC_EXCEPTION);
  });

  test('answers go to the request they belong to, however many clients', async () => {
    const { name } = await createTopic(client, { partitions: 3 });
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, index) => RawClient.connect(home.port, `c${index}`)),
    );
    const rounds = 20;
    const produced = await Promise.all(
      clients.map(async (one, index) => {
        const partition = index % 3;
        const answers = Array.from({ length: rounds }, (_, round) =>
          produce(one, name, batchOf([`${index}/${round}`]), { partition }),
        );
        return (await Promise.all(answers)).map(({ baseOffset }) => baseOffset);
      }),
    );
    for (let partition = 0; partition < 3; partition++) {
      const stored = (await readAll(client, name, { partition })).map(({ records }) =>
        textOf(records[0]?.value ?? null),
      );
      expect(stored).toHaveLength(4 * rounds);
      for (const [index, offsets] of produced.entries()) {
        if (index % 3 !== partition) continue;
        expect(offsets.map((offset) => stored[offset])).toEqual(offsets.map((_, round) => `${index}/${round}`));
      }
    }
    await Promise.all(clients.map((one) => one.close()));
  });
});
