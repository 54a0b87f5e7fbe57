/** Fetch as it is on the wire: whole batches, limits, waiting, ids, epochs, and ListOffsets beside it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidOfBytes } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { LIST_OFFSETS_TIMESTAMP } from '../../src/wire/messages/list-offsets.ts';
import { eventually, inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import {
  createTopic,
  fetch,
  fetchedOf,
  fetchRequest,
  freshTopic,
  listOffset,
  produce,
  readAll,
} from '../kit/requests.ts';

const [FIRST_VERSION, LAST_VERSION] = Fetch.versions;
const BY_ID_SINCE = 13;
const VERSIONS = Array.from({ length: LAST_VERSION - FIRST_VERSION + 1 }, (_, index) => FIRST_VERSION + index);
const SEGMENT_BYTES = 1_048_576;

inEveryLayout('fetch', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each(VERSIONS)('version %i', async (version) => {
    const { name, id } = await createTopic(client);
    await produce(client, name, batchOf(['a', 'b']));
    const got = await fetch(client, name, { version, topicId: id, offset: 1 });
    expect(got).toMatchObject({ errorCode: 0, highWatermark: 2 });
    if (version >= 5) expect(got.logStartOffset).toBe(0);
    expect(got.batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([[0, 1]]);
  });

  test('every offset of every batch gives the batch that holds it, over several segments', async () => {
    const { name } = await createTopic(client, {
      configs: { 'segment.bytes': String(SEGMENT_BYTES), 'index.interval.bytes': '4096' },
    });
    const written: [number, number][] = [];
    for (let index = 0; index < 60; index++) {
      const count = 1 + (index % 7);
      const bytes = index % 5 === 0 ? 200_000 : 100 + index * 200;
      const { baseOffset } = await produce(client, name, filledBatch(`b${index}`, count, Math.ceil(bytes / count)));
      written.push([baseOffset, baseOffset + count - 1]);
    }
    const end = (written.at(-1) as [number, number])[1] + 1;
    for (let offset = 0; offset < end; offset++) {
      const { errorCode, batches } = await fetch(client, name, { offset, partitionMaxBytes: 1 });
      const holder = written.find(([first, last]) => first <= offset && offset <= last);
      expect([offset, errorCode, batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])]).toEqual([
        offset,
        0,
        [holder],
      ]);
    }
    expect((await readAll(client, name)).map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual(
      written,
    );
    const atEnd = await fetch(client, name, { offset: end });
    expect(atEnd).toMatchObject({ errorCode: 0, bytes: 0, highWatermark: end });
    for (const offset of [end + 1, -1]) {
      expect((await fetch(client, name, { offset })).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    }
  });

  test('the first batch is given whole however small the limits, and no second one beside it', async () => {
    const { name } = await createTopic(client, { partitions: 2 });
    const sizes = [50_000, 60_000, 70_000];
    for (const partition of [0, 1]) {
      for (const bytes of sizes) await produce(client, name, filledBatch('x', 1, bytes), { partition });
    }
    for (const limit of [{ maxBytes: 1 }, { partitionMaxBytes: 1 }, { maxBytes: 50_000, partitionMaxBytes: 50_000 }]) {
      const got = await fetch(client, name, limit);
      expect(got.batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
    }
    const both = fetchRequest(name, { partitions: [0, 1], maxBytes: 1 });
    const answers = fetchedOf(await client.ask(Fetch, 12, both));
    expect(answers.map(({ partition, batches }) => [partition, batches.length])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  test('limits are kept by whole bytes, batches that are cut off are left to the next fetch', async () => {
    const { name } = await createTopic(client);
    for (let index = 0; index < 20; index++) await produce(client, name, filledBatch('x', 1, 10_000));
    const got = await fetch(client, name, { partitionMaxBytes: 55_000 });
    expect(got.bytes).toBeLessThanOrEqual(55_000);
    expect(got.batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3, 4]);
    expect(await readAll(client, name, { partitionMaxBytes: 55_000 })).toHaveLength(20);
  });

  test('ranges of every size arrive whole', async () => {
    const { name } = await createTopic(client);
    const sizes = [100, 5_000, 65_400, 65_536, 65_600, 200_000, 1_000_000];
    for (const [index, bytes] of sizes.entries()) await produce(client, name, filledBatch(`${index}`, 1, bytes));
    const { batches } = await fetch(client, name);
    expect(batches.map(({ records }) => records[0]?.value?.length)).toEqual(sizes);
    for (const [offset, bytes] of sizes.entries()) {
      const one = await fetch(client, name, { offset, partitionMaxBytes: 1 });
      expect(one.batches.map(({ records }) => records[0]?.value?.length)).toEqual([bytes]);
    }
  });

  describe('waiting', () => {
    test('ends with an empty answer when the time is over', async () => {
      const { name } = await createTopic(client);
      const got = await fetch(client, name, { minBytes: 1, maxWaitMs: 50 });
      expect(got).toMatchObject({ errorCode: 0, bytes: 0, highWatermark: 0 });
    });

    test('ends with the data as soon as there is enough', async () => {
      const { name } = await createTopic(client);
      const reader = await RawClient.connect(home.port);
      const answer = fetch(reader, name, { minBytes: 2_000, maxWaitMs: 600_000 });
      await waiting(1);
      await produce(client, name, filledBatch('few', 1, 500));
      await produce(client, name, filledBatch('more', 1, 500));
      await waiting(1);
      await produce(client, name, filledBatch('enough', 1, 1_200));
      const { batches } = await answer;
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2]);
      await reader.close();
    });

    test('many readers, partitions and rounds: nobody sleeps through an append', async () => {
      const { name } = await createTopic(client, { partitions: 3 });
      const readers = await Promise.all(Array.from({ length: 9 }, () => RawClient.connect(home.port)));
      const rounds = 30;
      const followed = readers.map(async (reader, index) => {
        const offsets: number[] = [];
        while (offsets.length < rounds) {
          const options = { partition: index % 3, offset: offsets.length, minBytes: 1, maxWaitMs: 600_000 };
          for (const { baseOffset } of (await fetch(reader, name, options)).batches) offsets.push(baseOffset);
        }
        return offsets;
      });
      for (let round = 0; round < rounds; round++) {
        await Promise.all([0, 1, 2].map((partition) => produce(client, name, batchOf([`${round}`]), { partition })));
      }
      const expected = Array.from({ length: rounds }, (_, round) => round);
      expect(await Promise.all(followed)).toEqual(readers.map(() => expected));
      await Promise.all(readers.map((reader) => reader.close()));
    });

    test('a request behind a fetch that waits has its answer behind it', async () => {
      const { name } = await createTopic(client);
      const reader = await RawClient.connect(home.port);
      const order: string[] = [];
      const first = fetch(reader, name, { minBytes: 1, maxWaitMs: 600_000 }).then(() => order.push('fetch'));
      const second = listOffset(reader, name, -1).then(() => order.push('list'));
      await waiting(1);
      await produce(client, name, batchOf(['wake']));
      await Promise.all([first, second]);
      expect(order).toEqual(['fetch', 'list']);
      await reader.close();
    });

    test.each(['end', 'destroy', 'resetAndDestroy'] as const)(
      'is over at once when the reader leaves: %s',
      async (leave) => {
        const { name } = await createTopic(client);
        const reader = await RawClient.connect(home.port);
        const answer = fetch(reader, name, { minBytes: 1, maxWaitMs: 600_000 });
        await waiting(1);
        reader.socket[leave]();
        if (leave === 'end') expect(await answer).toMatchObject({ errorCode: 0, bytes: 0 });
        else await expect(answer).rejects.toThrow();
        await reader.ended;
        await waiting(0);
        await expect.poll(async () => (await home.broker.metrics()).total.callsOpen).toBe(0);
      },
    );

    test('a reader that leaves requests behind its fetch has them answered, and none of them waits', async () => {
      const { name } = await createTopic(client);
      const reader = await RawClient.connect(home.port);
      const options = { minBytes: 1, maxWaitMs: 600_000 };
      const fetched = [fetch(reader, name, options), fetch(reader, name, options)];
      const listed = listOffset(reader, name, -1);
      const again = fetch(reader, name, options);
      await waiting(1);
      reader.socket.end();
      for (const one of [...fetched, again]) expect(await one).toMatchObject({ errorCode: 0, bytes: 0 });
      expect(await listed).toMatchObject({ errorCode: 0, offset: 0 });
      await reader.ended;
      await waiting(0);
    });

    test('an error is not waited for', async () => {
      const { name } = await createTopic(client);
      const options = { minBytes: 1, maxWaitMs: 600_000 };
      expect((await fetch(client, name, { ...options, partition: 5 })).errorCode).toBe(
        ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      );
      expect((await fetch(client, name, { ...options, offset: 5 })).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    });

    async function waiting(count: number): Promise<void> {
      const now = await eventually(
        async () => (await home.broker.metrics()).total.fetchesWaiting,
        (found) => found === count,
      );
      expect(now).toBe(count);
    }
  });

  test('topics and partitions that are not there', async () => {
    const { name } = await createTopic(client);
    expect((await fetch(client, freshTopic('nowhere'))).errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await fetch(client, name, { partition: 1 })).errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const topicId = uuidOfBytes(randomBytes(16));
    expect((await fetch(client, '', { version: BY_ID_SINCE, topicId })).errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
  });

  test('leader epochs that are behind and ahead', async () => {
    const { name } = await createTopic(client);
    await produce(client, name, batchOf(['a']));
    expect((await fetch(client, name, { leaderEpoch: 0 })).batches).toHaveLength(1);
    expect((await fetch(client, name, { leaderEpoch: 1 })).errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
    expect((await fetch(client, name, { leaderEpoch: 1, offset: 1 })).errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
    // -1 is no epoch at all; everything else below the leader's is an old one.
    expect((await fetch(client, name, { leaderEpoch: -2 })).errorCode).toBe(ERROR.FENCED_LEADER_EPOCH);
    expect((await listOffset(client, name, -1, { leaderEpoch: 7 })).errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
    expect((await listOffset(client, name, -1, { leaderEpoch: -2 })).errorCode).toBe(ERROR.FENCED_LEADER_EPOCH);
  });

  test('read_committed reads what is stable', async () => {
    const { name } = await createTopic(client);
    await produce(client, name, batchOf(['a']));
    expect((await fetch(client, name, { isolationLevel: 1 })).batches).toHaveLength(1);
  });
});

inEveryLayout('list offsets', (home) => {
  const { LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD } =
    LIST_OFFSETS_TIMESTAMP;
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  async function timed(...times: number[][]): Promise<string> {
    const { name } = await createTopic(client);
    for (const batch of times) {
      const bytes = batchOf(batch.map((timestamp) => ({ timestamp, key: null, value: Buffer.from('v') })));
      expect((await produce(client, name, bytes)).errorCode).toBe(0);
    }
    return name;
  }

  test('the ends of an empty and of a filled log', async () => {
    const empty = await timed();
    expect(await listOffset(client, empty, LATEST)).toMatchObject({ errorCode: 0, offset: 0, timestamp: -1 });
    expect(await listOffset(client, empty, EARLIEST)).toMatchObject({ errorCode: 0, offset: 0 });
    expect(await listOffset(client, empty, MAX_TIMESTAMP)).toMatchObject({ errorCode: 0, offset: -1, timestamp: -1 });
    expect(await listOffset(client, empty, 0)).toMatchObject({ errorCode: 0, offset: -1, timestamp: -1 });
    const name = await timed([1_000, 1_001], [1_002]);
    expect(await listOffset(client, name, LATEST)).toMatchObject({ offset: 3, timestamp: -1, leaderEpoch: 0 });
    expect(await listOffset(client, name, EARLIEST)).toMatchObject({ offset: 0, timestamp: -1, leaderEpoch: 0 });
    expect(await listOffset(client, name, EARLIEST_LOCAL)).toMatchObject({ errorCode: 0, offset: 0 });
    expect(await listOffset(client, name, LATEST_TIERED)).toMatchObject({ errorCode: 0, offset: -1 });
    expect(await listOffset(client, name, EARLIEST_PENDING_UPLOAD)).toMatchObject({ errorCode: 0, offset: -1 });
  });

  test('the first record at or after a moment, whatever the order of the clocks', async () => {
    const name = await timed([1_000, 3_000], [2_000, 5_000, 4_000], [4_500]);
    const found = async (time: number) => {
      const { offset, timestamp } = await listOffset(client, name, time);
      return [offset, timestamp];
    };
    expect(await found(0)).toEqual([0, 1_000]);
    expect(await found(1_001)).toEqual([1, 3_000]);
    expect(await found(3_001)).toEqual([3, 5_000]);
    expect(await found(5_000)).toEqual([3, 5_000]);
    expect(await found(5_001)).toEqual([-1, -1]);
    expect(await listOffset(client, name, MAX_TIMESTAMP)).toMatchObject({ offset: 3, timestamp: 5_000 });
  });

  test('inside compressed batches and over many index entries', async () => {
    const { name } = await createTopic(client);
    for (let batch = 0; batch < 40; batch++) {
      const records = Array.from({ length: 5 }, (_, index) => ({
        timestamp: 10_000 + batch * 50 + index * 10,
        key: null,
        value: Buffer.alloc(500, batch),
      }));
      await produce(client, name, batchOf(records, batch % 2 === 0 ? { codec: 1 } : {}));
    }
    for (let index = 0; index < 200; index += 7) {
      const { offset, timestamp } = await listOffset(client, name, 10_000 + index * 10 - 3);
      expect([offset, timestamp]).toEqual([index, 10_000 + index * 10]);
    }
  });

  test.each([
    [MAX_TIMESTAMP, 6],
    [EARLIEST_LOCAL, 7],
    [LATEST_TIERED, 8],
    [EARLIEST_PENDING_UPLOAD, 10],
    [-7, 11],
  ])('timestamp %i is not known in version %i', async (timestamp, version) => {
    const name = await timed([1_000]);
    expect((await listOffset(client, name, timestamp, { version })).errorCode).toBe(ERROR.UNSUPPORTED_VERSION);
  });

  test('what is not there, and epochs that do not fit', async () => {
    const name = await timed([1_000]);
    expect((await listOffset(client, name, LATEST, { partition: 3 })).errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await listOffset(client, name, LATEST, { leaderEpoch: 9 })).errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
  });
});
