/** What holds when topics go, and come again under the same name. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { BrokerHome, eventually, inEveryLayout, LAYOUTS, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import {
  createTopic,
  fetch,
  fetchedOf,
  fetchRequest,
  freshTopic,
  metadata,
  produce,
  readAll,
} from '../kit/requests.ts';
import { deleteById, deleteByName } from '../kit/topics.ts';

const BY_ID = 13;

function partitionDirectories(home: BrokerHome, topic: string): string[] {
  return readdirSync(home.directory).filter((name) => name.startsWith(`${topic}-`));
}

inEveryLayout('deleted topics', (home) => {
  test('X12: a topic made again under its name has a new id; the old one is unknown everywhere, epochs never go back', async () => {
    const client = await RawClient.connect(home.port);
    const { name, id: old } = await createTopic(client, { partitions: 3 });
    expect((await produce(client, name, batchOf(['old']))).errorCode).toBe(ERROR.NONE);
    const epochs = (await metadata(client, [name])).topics[0]?.partitions.map(({ leaderEpoch }) => leaderEpoch);
    // A session by id that knows the old topic.
    const opened = await client.call(Fetch, BY_ID, { ...fetchRequest('', { topicId: old }), sessionEpoch: 0 });
    expect(opened.sessionId).not.toBe(0);

    expect(await deleteById(client, [old])).toMatchObject([{ name, topicId: old, errorCode: ERROR.NONE }]);
    const { id: young } = await createTopic(client, { name, partitions: 3 });
    expect(young).not.toBe(old);

    const incremental = { ...fetchRequest('', { topicId: old }), topics: [] };
    const session = await client.ask(Fetch, BY_ID, { ...incremental, sessionId: opened.sessionId, sessionEpoch: 1 });
    expect(fetchedOf(session).map(({ errorCode }) => errorCode)).toEqual([ERROR.UNKNOWN_TOPIC_ID]);
    const topicId = old;
    expect((await fetch(client, '', { version: BY_ID, topicId })).errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    expect((await produce(client, '', batchOf(['late']), { version: 13, topicId })).errorCode).toBe(
      ERROR.UNKNOWN_TOPIC_ID,
    );
    const asked = await client.call(Metadata, 12, {
      topics: [
        { topicId: old, name: null },
        { topicId: young, name: null },
      ],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    expect(asked.topics).toMatchObject([
      { errorCode: ERROR.UNKNOWN_TOPIC_ID, name: null, topicId: old, partitions: [] },
      { errorCode: ERROR.NONE, name, topicId: young },
    ]);
    const now = asked.topics[1]?.partitions.map(({ leaderEpoch }) => leaderEpoch);
    for (const [index, epoch] of (epochs ?? []).entries()) expect(now?.[index]).toBeGreaterThanOrEqual(epoch);
    expect(await readAll(client, name)).toEqual([]);
    expect((await produce(client, name, batchOf(['young']))).baseOffset).toBe(0);
    await client.close();
  });

  test('a fetch that waits is told when its topic goes, and none is ever given records of the next one', async () => {
    const client = await RawClient.connect(home.port);
    const { name, id } = await createTopic(client);
    const reader = await RawClient.connect(home.port);
    const waiting = reader.ask(
      Fetch,
      BY_ID,
      fetchRequest('', { topicId: id, offset: 0, minBytes: 1, maxWaitMs: 20_000 }),
    );
    const byName = await RawClient.connect(home.port);
    const named = byName.ask(Fetch, 12, fetchRequest(name, { offset: 0, minBytes: 1, maxWaitMs: 20_000 }));
    await eventually(
      async () => (await home.broker.metrics()).total.fetchesWaiting,
      (count) => count === 2,
    );
    await deleteByName(client, [name]);
    expect(fetchedOf(await waiting)[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    expect(fetchedOf(await named)[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    await Promise.all([client.close(), reader.close(), byName.close()]);
  });

  test('nobody who was answered before the deletion was lied to, and nothing is taken after its answer', async () => {
    const admin = await RawClient.connect(home.port);
    for (let round = 0; round < 5; round++) {
      const { name } = await createTopic(admin, { partitions: 2 });
      const producers = await Promise.all([RawClient.connect(home.port), RawClient.connect(home.port)]);
      let deleted = false;
      const after: number[] = [];
      const loads = producers.map(async (producer, partition) => {
        for (;;) {
          const late = deleted;
          const { errorCode } = await produce(producer, name, filledBatch('x', 5, 50), { partition });
          if (late) {
            after.push(errorCode);
            return;
          }
          if (errorCode !== ERROR.NONE) expect(errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
        }
      });
      expect(await deleteByName(admin, [name])).toMatchObject([{ errorCode: ERROR.NONE }]);
      deleted = true;
      await Promise.all(loads);
      expect(after).toEqual([ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
      await Promise.all(producers.map((producer) => producer.close()));
    }
    await admin.close();
  });
});

test.each([ONE_THREAD, TWO_BY_THREE])(
  'files are renamed at once, removed after their delay, and nothing of a deleted topic is remembered ($name)',
  async (layout) => {
    const home = new BrokerHome(layout, { settings: { 'log.segment.delete.delay.ms': '0' } });
    await home.start();
    const client = await RawClient.connect(home.port);
    const slow = await createTopic(client, { configs: { 'file.delete.delay.ms': '600000' }, partitions: 2 });
    const fast = await createTopic(client);
    expect(partitionDirectories(home, slow.name)).toEqual([`${slow.name}-0`, `${slow.name}-1`]);
    await deleteByName(client, [slow.name, fast.name]);
    for (const directory of partitionDirectories(home, slow.name)) {
      expect(directory).toMatch(/-[01]\.[0-9a-f]{32}-delete$/);
    }
    await eventually(
      () => partitionDirectories(home, fast.name),
      (left) => left.length === 0,
    );
    expect(partitionDirectories(home, fast.name)).toEqual([]);
    expect(partitionDirectories(home, slow.name)).toHaveLength(2);
    await home.restart();
    expect(partitionDirectories(home, slow.name)).toEqual([]);
    expect(existsSync(join(home.directory, `${slow.name}-0-stray`))).toBe(false);
    await client.close();
    await home.end();
  },
);

test('delete.topic.enable=false refuses, in words that each version knows', async () => {
  const home = new BrokerHome(LAYOUTS[0] as (typeof LAYOUTS)[number], { settings: { 'delete.topic.enable': 'false' } });
  await home.start();
  const client = await RawClient.connect(home.port);
  const { name, id } = await createTopic(client);
  const unknown = freshTopic();
  expect(await deleteById(client, [id])).toMatchObject([{ topicId: id, errorCode: ERROR.TOPIC_DELETION_DISABLED }]);
  expect(await deleteByName(client, [name, unknown], 5)).toMatchObject([
    { name, errorCode: ERROR.TOPIC_DELETION_DISABLED },
    { name: unknown, errorCode: ERROR.TOPIC_DELETION_DISABLED },
  ]);
  expect(await deleteByName(client, [name], 1)).toMatchObject([{ name, errorCode: ERROR.INVALID_REQUEST }]);
  expect((await metadata(client, [name])).topics).toMatchObject([{ errorCode: ERROR.NONE, topicId: id }]);
  await client.close();
  await home.end();
});

test('what cannot be deleted is said by name or id, each once', async () => {
  const home = new BrokerHome(ONE_THREAD);
  await home.start();
  const client = await RawClient.connect(home.port);
  const { name } = await createTopic(client);
  const unknown = freshTopic();
  const nobody = 'u'.repeat(16);
  for (const version of [1, 3, 5, 6]) {
    expect((await deleteByName(client, [unknown, 'bad name', ''], version)).map((one) => one.errorCode)).toEqual([
      ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect((await deleteByName(client, [name, unknown, name, unknown], version)).map((one) => one.errorCode)).toEqual([
      ERROR.INVALID_REQUEST,
      ERROR.INVALID_REQUEST,
    ]);
  }
  expect(await deleteById(client, [nobody])).toMatchObject([
    { name: null, topicId: nobody, errorCode: ERROR.UNKNOWN_TOPIC_ID },
  ]);
  expect(await deleteById(client, [ZERO_UUID])).toMatchObject([{ name: null, errorCode: ERROR.INVALID_REQUEST }]);
  expect((await metadata(client, [name])).topics).toMatchObject([{ errorCode: ERROR.NONE }]);
  await client.close();
  await home.end();
});

inEveryLayout(
  'deletion under batches that are being checked and synced',
  (home) => {
    test('every produce is answered, and the next topic of the name holds only what was produced to it', async () => {
      const admin = await RawClient.connect(home.port);
      const name = freshTopic('again');
      const producers = await Promise.all([0, 1].map(() => RawClient.connect(home.port)));
      for (let round = 0; round < 5; round++) {
        const { id: topicId } = await createTopic(admin, { name, partitions: 2 });
        const label = `round-${round}`;
        const answered = producers.map(async (producer, partition) => {
          const batches = Array.from({ length: 20 }, () => filledBatch(label, 5, 200, { codec: 1 }));
          const options = { partition, version: BY_ID, topicId };
          return Promise.all(batches.map((batch) => produce(producer, '', batch, options)));
        });
        const [first] = await readSome(admin, topicId);
        expect(first ?? label).toContain(label);
        await deleteByName(admin, [name]);
        for (const { errorCode } of (await Promise.all(answered)).flat())
          expect([ERROR.NONE, ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.UNKNOWN_TOPIC_ID]).toContain(errorCode);
      }
      await Promise.all([admin, ...producers].map((client) => client.close()));
    });
  },
  { settings: { 'flush.group.commit': 'true', 'compressed.batch.validation': 'full' } },
);

/** Values that are there within a short while. */
async function readSome(client: RawClient, topicId: string): Promise<string[]> {
  const request = fetchRequest('', { topicId, minBytes: 1, maxWaitMs: 200 });
  const fetched = fetchedOf(await client.ask(Fetch, BY_ID, request));
  return fetched.flatMap(({ batches }) =>
    batches.flatMap(({ records }) => records.map(({ value }) => textOf(value) ?? '')),
  );
}
