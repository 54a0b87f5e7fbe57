/** Which partition a record goes to is the client's choice, and topics grow under their clients' hands. */
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kafkajsBroker, readPartition } from '../kit/kafkajs-broker.ts';
import { kcatOk, kcatRead } from '../kit/kcat.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import {
  createTopic,
  fetchedOf,
  fetchRequest,
  freshTopic,
  metadata,
  produceRequest,
  readAll,
} from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { grow } from '../kit/topics.ts';

inEveryLayout('partitioning', (home) => {
  test('S047: nine records without keys go to all of three partitions, one after the other', async () => {
    const client = await RawClient.connect(home.port);
    const { name: topic } = await createTopic(client, { partitions: 3 });
    const kafka = new Kafka({ clientId: 'kafkajs', brokers: [home.address], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    for (let index = 0; index < 9; index++) await producer.send({ topic, messages: [{ value: `v${index}` }] });
    await producer.disconnect();
    const broker = kafkajsBroker(home.port);
    await broker.connect();
    const values: string[] = [];
    for (const partition of [0, 1, 2]) {
      const messages = await readPartition(broker, topic, partition);
      expect(messages).toHaveLength(3);
      values.push(...messages.map(({ value }) => String(value)));
    }
    expect(values.sort()).toEqual(Array.from({ length: 9 }, (_, index) => `v${index}`));
    await broker.disconnect();
    await client.close();
  });

  test.skipIf(!hasTool('kcat'))(
    'S048: kcat -p 2 lands on partition 2, and one key always on one partition',
    async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { partitions: 3 });
      await kcatOk(['-P', '-b', home.address, '-t', name, '-p', '2'], 'told\n');
      expect((await kcatRead(home.address, name, 2)).map(({ payload }) => payload)).toEqual(['told']);
      const input = Array.from({ length: 30 }, (_, index) => `k${index % 5}:v${index}\n`).join('');
      for (let run = 0; run < 2; run++) await kcatOk(['-P', '-b', home.address, '-t', name, '-K', ':'], input);
      const homes = new Map<string, Set<number>>();
      let read = 0;
      for (const partition of [0, 1, 2]) {
        for (const { key } of await kcatRead(home.address, name, partition)) {
          if (key === null || key === '') continue;
          read += 1;
          homes.set(key, (homes.get(key) ?? new Set()).add(partition));
        }
      }
      expect(read).toBe(60);
      expect(homes.size).toBe(5);
      for (const partitions of homes.values()) expect(partitions.size).toBe(1);
      await client.close();
    },
  );

  test('S050: records of one key come to one partition, in the order they were sent', async () => {
    const client = await RawClient.connect(home.port);
    const { name: topic } = await createTopic(client, { partitions: 4 });
    const kafka = new Kafka({ clientId: 'kafkajs', brokers: [home.address], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    for (let index = 0; index < 40; index++) {
      await producer.send({ topic, messages: [{ key: `k${index % 8}`, value: String(index) }] });
    }
    await producer.disconnect();
    const places = new Map<string, number>();
    for (const partition of [0, 1, 2, 3]) {
      const last = new Map<string, number>();
      for (const { records } of await readAll(client, topic, { partition })) {
        for (const record of records) {
          const key = textOf(record.key) as string;
          const value = Number(textOf(record.value));
          expect(places.get(key) ?? partition).toBe(partition);
          places.set(key, partition);
          expect(value).toBeGreaterThan(last.get(key) ?? -1);
          last.set(key, value);
        }
      }
    }
    expect(places.size).toBe(8);
    await client.close();
  });

  test('S051: a topic grows from 3 to 6 under load: nobody notices, Metadata shows 6 at once, the new ones serve', async () => {
    const admin = await RawClient.connect(home.port);
    const { name } = await createTopic(admin, { partitions: 3 });
    const waiting = await RawClient.connect(home.port);
    const quiet = freshTopic();
    await createTopic(admin, { name: quiet });
    // Waits through the whole change.
    const long = waiting.ask(Fetch, 12, fetchRequest(quiet, { minBytes: 1, maxWaitMs: 20_000 }));
    let grown = false;
    const producers = [0, 1, 2].map(async (partition) => {
      const client = await RawClient.connect(home.port);
      let expected = 0;
      for (let after = 0; after < 10; ) {
        const request = produceRequest(name, filledBatch('r', 10, 100), { partition });
        const answer = (await client.call(Produce, 9, request)).responses[0]?.partitionResponses[0];
        expect(answer).toMatchObject({ errorCode: ERROR.NONE, baseOffset: expected });
        expected += 10;
        if (grown) after += 1;
      }
      await client.close();
      return expected;
    });
    expect(await grow(admin, [{ name, count: 6 }])).toEqual([[name, ERROR.NONE]]);
    const shown = (await metadata(admin, [name])).topics[0]?.partitions;
    expect(shown?.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(shown?.every(({ leaderId, errorCode }) => leaderId === 0 && errorCode === ERROR.NONE)).toBe(true);
    grown = true;
    const written = await Promise.all(producers);
    for (const partition of [3, 4, 5]) {
      const request = produceRequest(name, batchOf(['new']), { partition });
      expect((await admin.call(Produce, 9, request)).responses[0]?.partitionResponses[0]).toMatchObject({
        errorCode: ERROR.NONE,
        baseOffset: 0,
      });
    }
    // A consumer that asks again for what there is reads all six.
    for (const [partition, count] of [...written, 1, 1, 1].entries()) {
      const records = (await readAll(admin, name, { partition })).flatMap((batch) => batch.records);
      expect(records).toHaveLength(count);
    }
    await admin.call(Produce, 9, produceRequest(quiet, batchOf(['at last'])));
    expect(fetchedOf(await long)[0]?.batches[0]?.records).toHaveLength(1);
    await Promise.all([admin.close(), waiting.close()]);
  });

  test('what does not grow is refused with its reason, and a trial changes nothing', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: 3 });
    const { INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION } = ERROR;
    for (const count of [3, 2, 0, -1])
      expect(await grow(client, [{ name, count }])).toEqual([[name, INVALID_PARTITIONS]]);
    const unknown = freshTopic();
    expect(await grow(client, [{ name: unknown, count: 2 }])).toEqual([[unknown, UNKNOWN_TOPIC_OR_PARTITION]]);
    for (const assignments of [[], [{ brokerIds: [] }], [{ brokerIds: [9] }], [{ brokerIds: [0, 0] }]]) {
      expect(await grow(client, [{ name, count: 4, assignments }])).toEqual([[name, INVALID_REPLICA_ASSIGNMENT]]);
    }
    const twice = [
      { name, count: 4 },
      { name, count: 5 },
    ];
    expect(await grow(client, twice)).toEqual([[name, INVALID_REQUEST]]);
    expect(await grow(client, [{ name, count: 4 }], { validateOnly: true })).toEqual([[name, ERROR.NONE]]);
    expect((await metadata(client, [name])).topics[0]?.partitions).toHaveLength(3);
    expect(await grow(client, [{ name, count: 4, assignments: [{ brokerIds: [0] }] }])).toEqual([[name, ERROR.NONE]]);
    for (const version of [0, 1, 2]) {
      expect(await grow(client, [{ name, count: 5 + version }], { version })).toEqual([[name, ERROR.NONE]]);
    }
    expect((await metadata(client, [name])).topics[0]?.partitions).toHaveLength(7);
    await client.close();
  });
});
