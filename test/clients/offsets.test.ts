/** ListOffsets, OffsetForLeaderEpoch and DescribeProducers as they are on the wire, in every version. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { LIST_OFFSETS_TIMESTAMP, ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import { OffsetForLeaderEpoch } from '../../src/wire/messages/offset-for-leader-epoch.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { deleteRecords, describeProducers, epochEnd } from '../kit/offsets.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, freshTopic, initProducer, listOffset, metadata, produce } from '../kit/requests.ts';

function range([first, last]: readonly [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const { LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD } =
  LIST_OFFSETS_TIMESTAMP;

inEveryLayout('offsets', (home) => {
  let client: RawClient;
  let topic = '';
  const start = Date.now() - 1_000;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
    topic = (await createTopic(client, { partitions: 2 })).name;
    // The timestamps of the records at 0 to 5: +0 +7 +30 +20 +10 +30.
    for (const times of [
      [0, 7],
      [30, 20],
      [10, 30],
    ]) {
      const records = times.map((time) => ({ timestamp: start + time, key: null, value: null }));
      expect((await produce(client, topic, batchOf(records))).errorCode).toBe(0);
    }
  });
  afterAll(() => client.close());

  describe.each(range(ListOffsets.versions))('ListOffsets version %i', (version) => {
    const leaderEpoch = version >= 4 ? 0 : -1;
    const found = (offset: number, time = -1) => ({
      partitionIndex: 0,
      errorCode: 0,
      timestamp: time < 0 ? -1 : start + time,
      offset,
      leaderEpoch,
    });
    const nothing = { ...found(-1), leaderEpoch: -1 };

    test.each([
      [LATEST, 1, found(6)],
      [EARLIEST, 1, found(0)],
      [MAX_TIMESTAMP, 7, found(2, 30)],
      [EARLIEST_LOCAL, 8, found(0)],
      [LATEST_TIERED, 9, nothing],
      [EARLIEST_PENDING_UPLOAD, 11, nothing],
    ])('place %i', async (place, since, expected) => {
      const refused = { ...nothing, errorCode: ERROR.UNSUPPORTED_VERSION };
      expect(await listOffset(client, topic, place, { version })).toEqual(version < since ? refused : expected);
    });

    test('a moment', async () => {
      const ask = (time: number) => listOffset(client, topic, start + time, { version });
      expect(await ask(-1_000)).toEqual(found(0, 0));
      expect(await ask(1)).toEqual(found(1, 7));
      expect(await ask(8)).toEqual(found(2, 30));
      expect(await ask(31)).toEqual(nothing);
    });

    test('an empty partition', async () => {
      const ask = (timestamp: number) => listOffset(client, topic, timestamp, { version, partition: 1 });
      expect(await ask(LATEST)).toEqual({ ...found(0), partitionIndex: 1 });
      expect(await ask(EARLIEST)).toEqual({ ...found(0), partitionIndex: 1 });
      expect(await ask(0)).toEqual({ ...nothing, partitionIndex: 1 });
    });

    test('a partition that is not there', async () => {
      const answer = await listOffset(client, topic, LATEST, { version, partition: 2 });
      expect(answer.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    });
  });

  test.each([LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD, 0])(
    'ListOffsets of %i holds the leader epoch against its own',
    async (timestamp) => {
      const ask = async (leaderEpoch: number) =>
        (await listOffset(client, topic, timestamp, { leaderEpoch })).errorCode;
      expect([await ask(-1), await ask(0), await ask(1)]).toEqual([0, 0, ERROR.UNKNOWN_LEADER_EPOCH]);
    },
  );

  test.each([0, 1])('ListOffsets at isolation level %i: without transactions the ends are the same', async (level) => {
    const { topics } = await client.call(ListOffsets, 11, {
      replicaId: -1,
      isolationLevel: level,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: LATEST }] }],
      timeoutMs: 1_000,
    });
    expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, offset: 6, leaderEpoch: 0 });
  });

  test('ListOffsets of records that were deleted', async () => {
    const { name } = await createTopic(client);
    const at = (time: number) => ({ timestamp: start + time, key: null, value: null });
    await produce(client, name, batchOf([at(50), at(5), at(40), at(20)]));
    await deleteRecords(client, name, 1);
    expect(await listOffset(client, name, 0)).toMatchObject({ offset: 1, timestamp: start + 5 });
    expect(await listOffset(client, name, MAX_TIMESTAMP)).toMatchObject({ offset: 2, timestamp: start + 40 });
    await deleteRecords(client, name, -1);
    expect(await listOffset(client, name, MAX_TIMESTAMP)).toMatchObject({ errorCode: 0, offset: -1, timestamp: -1 });
    expect(await listOffset(client, name, EARLIEST)).toMatchObject({ offset: 4, leaderEpoch: 0 });
  });

  test.each(range(OffsetForLeaderEpoch.versions))('OffsetForLeaderEpoch version %i', async (version) => {
    const found = (leaderEpoch: number, endOffset: number) => ({ errorCode: 0, partition: 0, leaderEpoch, endOffset });
    const refused = (errorCode: number) => ({ ...found(-1, -1), errorCode });
    expect(await epochEnd(client, topic, 0, { version })).toEqual(found(0, 6));
    expect(await epochEnd(client, topic, 0, { version, currentLeaderEpoch: 0 })).toEqual(found(0, 6));
    expect(await epochEnd(client, topic, -1, { version })).toEqual(found(-1, -1));
    expect(await epochEnd(client, topic, 1, { version })).toEqual(found(-1, -1));
    expect(await epochEnd(client, topic, 0, { version, partition: 1 })).toMatchObject({ leaderEpoch: 0, endOffset: 0 });
    const unknown = refused(ERROR.UNKNOWN_LEADER_EPOCH);
    expect(await epochEnd(client, topic, 0, { version, currentLeaderEpoch: 1 })).toEqual(unknown);
    const nowhere = refused(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await epochEnd(client, topic, 0, { version, partition: 2 })).toEqual({ ...nowhere, partition: 2 });
    expect(await epochEnd(client, freshTopic('nowhere'), 0, { version })).toEqual(nowhere);
    if (version < 3) return;
    const forged = refused(ERROR.CLUSTER_AUTHORIZATION_FAILED);
    expect(await epochEnd(client, topic, 0, { version, replicaId: 0 })).toEqual(forged);
  });

  test('DescribeProducers: who has written, how far, and when', async () => {
    const { name } = await createTopic(client);
    const first = await initProducer(client);
    const second = await initProducer(client);
    const record = (time: number) => ({ timestamp: start + time, key: null, value: null });
    await produce(client, name, batchOf([record(1), record(9)], { ...first, baseSequence: 0 }));
    await produce(client, name, batchOf([record(3)], { ...first, baseSequence: 2 }));
    await produce(client, name, batchOf([record(4)], { ...second, producerEpoch: 3, baseSequence: 0 }));
    await produce(client, name, batchOf(['nobody']));
    const { errorCode, errorMessage, activeProducers } = await describeProducers(client, name);
    expect([errorCode, errorMessage]).toEqual([0, null]);
    const none = { coordinatorEpoch: -1, currentTxnStartOffset: -1 };
    expect(activeProducers.toSorted((a, b) => a.producerId - b.producerId)).toEqual([
      { producerId: first.producerId, producerEpoch: 0, lastSequence: 2, lastTimestamp: start + 3, ...none },
      { producerId: second.producerId, producerEpoch: 3, lastSequence: 0, lastTimestamp: start + 4, ...none },
    ]);
  });

  test('DescribeProducers: nobody, and nowhere', async () => {
    const { name } = await createTopic(client);
    expect(await describeProducers(client, name)).toMatchObject({ errorCode: 0, activeProducers: [] });
    const unknown = { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] };
    for (const [where, partition] of [
      [name, 1],
      [freshTopic('nowhere'), 0],
    ] as const) {
      const answer = await describeProducers(client, where, partition);
      expect(answer).toMatchObject(unknown);
      expect(answer.errorMessage).toContain(where);
    }
    expect((await metadata(client, [name])).topics[0]?.errorCode).toBe(0);
  });
});
