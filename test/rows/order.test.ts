/** A partition is one line: every record has its place behind the one before, no producer's records change places, and what a
 * connection asks comes behind what it wrote. */
import { expect, test } from 'vitest';
import { DeleteRecords } from '../../src/wire/messages/delete-records.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { LIST_OFFSETS_TIMESTAMP, ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import { OffsetForLeaderEpoch } from '../../src/wire/messages/offset-for-leader-epoch.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import type { Api, RequestInput, ResponseOf } from '../../src/wire/schema.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { type Answer, RawClient } from '../kit/client.ts';
import { produceMany } from '../kit/filling.ts';
import { batchOf, textOf } from '../kit/records.ts';
import {
  createTopic,
  FETCH_VERSION,
  fetchedOf,
  fetchRequest,
  PRODUCE_VERSION,
  produceRequest,
  readAll,
} from '../kit/requests.ts';

const PRODUCERS = 4;
const RECORDS_EACH = 25_000;
const BATCH = 100;

inEveryLayout('four producers at once', (home) => {
  test('S019: 100,000 records have dense offsets, and the order of each producer is kept', async () => {
    const clients = await Promise.all(Array.from({ length: PRODUCERS }, () => RawClient.connect(home.port)));
    const reader = clients[0] as RawClient;
    const { name } = await createTopic(reader, { configs: { 'segment.bytes': '1048576' } });
    const answers = await Promise.all(
      clients.map((client, producer) =>
        produceMany(client, name, RECORDS_EACH / BATCH, (index) =>
          batchOf(Array.from({ length: BATCH }, (_, at) => `${producer}:${index * BATCH + at}`)),
        ),
      ),
    );
    const batches = await readAll(reader, name);
    const next = Array.from({ length: PRODUCERS }, () => 0);
    let offset = 0;
    let switches = 0;
    let last = -1;
    for (const { baseOffset, lastOffset, records } of batches) {
      expect(baseOffset).toBe(offset);
      for (const { value } of records) {
        const [producer, number] = (textOf(value) as string).split(':').map(Number) as [number, number];
        if (next[producer] !== number) expect([producer, number, offset]).toEqual([producer, next[producer], offset]);
        if (number % BATCH === 0) expect(answers[producer]?.[number / BATCH]?.baseOffset).toBe(offset);
        if (producer !== last) switches += 1;
        last = producer;
        next[producer] = number + 1;
        offset += 1;
      }
      expect(lastOffset).toBe(offset - 1);
    }
    expect(offset).toBe(PRODUCERS * RECORDS_EACH);
    expect(next).toEqual(clients.map(() => RECORDS_EACH));
    // They did write at the same time.
    expect(switches).toBeGreaterThan(PRODUCERS);
    await Promise.all(clients.map((client) => client.close()));
  }, 60_000);
});

const UNANSWERED = 20;
const LIST_OFFSETS_VERSION = 7;
const DELETE_RECORDS_VERSION = 2;
const EPOCH_VERSION = 4;

inEveryLayout('a connection that does not wait for its answers', (home) => {
  test('what it wrote is there for what it asks behind it: a fetch at the end, the end, that of its epoch, a deletion up to it', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    const sent: Uint8Array[] = [];
    const add = <A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<Answer<ResponseOf<A>>> => {
      const { bytes, correlationId } = client.frame(api, version, request);
      sent.push(bytes);
      return client.expect(api, version, correlationId);
    };
    let end = 0;
    /** Each question is the first behind a record of its own. */
    const behindOneMore = <T>(ask: () => T): T => {
      const records = batchOf([`${end}`]);
      sent.push(client.frame(Produce, PRODUCE_VERSION, produceRequest(name, records, { acks: 0 })).bytes);
      end += 1;
      return ask();
    };
    const rounds = Array.from({ length: UNANSWERED }, () => {
      const before = end;
      const place = { partitionIndex: 0, currentLeaderEpoch: -1 };
      const fetched = behindOneMore(() => add(Fetch, FETCH_VERSION, fetchRequest(name, { offset: end })));
      const listed = behindOneMore(() =>
        add(ListOffsets, LIST_OFFSETS_VERSION, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name, partitions: [{ ...place, timestamp: LIST_OFFSETS_TIMESTAMP.LATEST }] }],
          timeoutMs: 0,
        }),
      );
      const ended = behindOneMore(() =>
        add(OffsetForLeaderEpoch, EPOCH_VERSION, {
          replicaId: -1,
          topics: [{ topic: name, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
        }),
      );
      const deleted = behindOneMore(() =>
        add(DeleteRecords, DELETE_RECORDS_VERSION, {
          topics: [{ name, partitions: [{ partitionIndex: 0, offset: -1 }] }],
          timeoutMs: 10_000,
        }),
      );
      return Promise.all([before, fetched, listed, ended, deleted]);
    });
    client.write(Buffer.concat(sent));
    for (const [before, fetched, listed, ended, deleted] of await Promise.all(rounds)) {
      expect(fetchedOf(fetched)).toMatchObject([{ errorCode: 0, highWatermark: before + 1, batches: [] }]);
      expect(listed.body.topics[0]?.partitions).toMatchObject([{ errorCode: 0, offset: before + 2 }]);
      expect(ended.body.topics[0]?.partitions).toMatchObject([{ errorCode: 0, endOffset: before + 3 }]);
      expect(deleted.body.topics[0]?.partitions).toMatchObject([{ errorCode: 0, lowWatermark: before + 4 }]);
    }
    await client.close();
  });
});
