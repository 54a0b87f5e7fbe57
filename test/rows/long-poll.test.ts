/** Fetches that wait: they end with data or with their time, cost nothing meanwhile, and wake nobody else. */
import { expect, test } from 'vitest';
import type { BrokerMetrics } from '../../src/broker.ts';
import { eventually, inEveryLayout, ONE_THREAD, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';

const FOR_EVER_MS = 600_000;
const READERS = 2_000;
const PARTITIONS = 100;
/** Thousands of connections take their time to come and go. */
const THOUSANDS_MS = 120_000;
/** A thread comes round about once a second by itself, and for each question of the test. */
const ROUNDS_PER_SECOND_MAX = 20;

function loops({ roles }: BrokerMetrics): number {
  return Object.values(roles).reduce((sum, { rounds }) => Math.max(sum, rounds), 0);
}

const LAYOUTS = [ONE_THREAD, TWO_BY_THREE];

inEveryLayout(
  'long poll',
  (home) => {
    async function waiting(count: number): Promise<void> {
      const last = await eventually(
        async () => (await home.broker.metrics()).total.fetchesWaiting,
        (now) => now === count,
      );
      expect(last).toBe(count);
    }

    /** Rounds of the busiest thread, and sleeps of all, while a fetch that finds nothing waits for a second. */
    async function idleRounds(client: RawClient, topic: string): Promise<{ rounds: number; seconds: number }> {
      const before = await home.broker.metrics();
      await fetch(client, topic, { minBytes: 1, maxWaitMs: 1_000 });
      const after = await home.broker.metrics();
      return { rounds: loops(after) - loops(before), seconds: (after.upMs - before.upMs) / 1_000 };
    }

    test('S042: a fetch that waits ends with new data, or empty when max.wait is over, and idle consumers run no loop', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const { name: quiet } = await createTopic(client);
      const readers = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(home.port)));
      expect(await fetch(client, name, { minBytes: 1, maxWaitMs: 50 })).toMatchObject({ errorCode: 0, bytes: 0 });
      const answers = readers.map((reader) => fetch(reader, name, { minBytes: 1, maxWaitMs: FOR_EVER_MS }));
      await waiting(readers.length);
      const { rounds, seconds } = await idleRounds(client, quiet);
      expect(rounds).toBeLessThan(ROUNDS_PER_SECOND_MAX * (1 + seconds));
      await produce(client, name, batchOf(['news']));
      for (const { batches } of await Promise.all(answers))
        expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
      await Promise.all([client, ...readers].map((one) => one.close()));
    });

    test(
      'X04: thousands of waiting fetches cost no rounds, and each wakes when its own partition gets data',
      async () => {
        const client = await RawClient.connect(home.port);
        const { name } = await createTopic(client, { partitions: PARTITIONS });
        const { name: quiet } = await createTopic(client);
        const readers: RawClient[] = [];
        while (readers.length < READERS) {
          readers.push(...(await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(home.port)))));
        }
        const awake: number[] = [];
        const answers = readers.map(async (reader, index) => {
          const partition = index % PARTITIONS;
          const got = await fetch(reader, name, { partition, minBytes: 1, maxWaitMs: FOR_EVER_MS });
          awake.push(partition);
          return got;
        });
        await waiting(READERS);
        const { rounds, seconds } = await idleRounds(client, quiet);
        expect(rounds).toBeLessThan(ROUNDS_PER_SECOND_MAX * (1 + seconds));
        await produce(client, name, batchOf(['for some']), { partition: 7 });
        await waiting(READERS - READERS / PARTITIONS);
        await Promise.all(answers.filter((_, index) => index % PARTITIONS === 7));
        expect(awake).toEqual(Array(READERS / PARTITIONS).fill(7));
        for (let partition = 0; partition < PARTITIONS; partition++) {
          if (partition !== 7) await produce(client, name, batchOf(['for the others']), { partition });
        }
        for (const { bytes } of await Promise.all(answers)) expect(bytes).toBeGreaterThan(0);
        await waiting(0);
        await Promise.all([client, ...readers].map((one) => one.close()));
      },
      THOUSANDS_MS,
    );

    test('S042: what is left of a full segment is not waited for: nothing comes to it any more', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { configs: { 'segment.bytes': '1048576' } });
      const half = batchOf(['x'.repeat(600_000)]);
      for (const _ of [1, 2]) await produce(client, name, half);
      const wanted = { minBytes: half.length + 1, maxWaitMs: FOR_EVER_MS };
      const { batches } = await fetch(client, name, wanted);
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
      // Of the last one more may come.
      const answer = fetch(client, name, { ...wanted, offset: 1 });
      await waiting(1);
      await client.close();
      await expect(answer).rejects.toThrow('closed');
    });

    test('X04: waiting fetches whose clients vanish all at once leave nothing behind', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const readers = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(home.port)));
      const answers = readers.map((reader) => fetch(reader, name, { minBytes: 1, maxWaitMs: FOR_EVER_MS }));
      const lost = Promise.allSettled(answers);
      await waiting(readers.length);
      for (const { socket } of readers) socket.resetAndDestroy();
      expect((await lost).map(({ status }) => status)).toEqual(readers.map(() => 'rejected'));
      await waiting(0);
      await client.close();
      const left = await eventually(
        async () => (await home.broker.metrics()).connections,
        (count) => count === 0,
      );
      expect(left).toBe(0);
    });
  },
  // A hundred connections come at once.
  { settings: { 'socket.listen.backlog.size': '1024' } },
  LAYOUTS,
);

inEveryLayout(
  'long poll where what is seen is on disk',
  (home) => {
    test('S042: a fetch that waits ends once what came is durable, long before its time is over', async () => {
      const client = await RawClient.connect(home.port);
      const reader = await RawClient.connect(home.port);
      const { name } = await createTopic(client);
      const answer = fetch(reader, name, { minBytes: 1, maxWaitMs: FOR_EVER_MS });
      await eventually(
        async () => (await home.broker.metrics()).total.fetchesWaiting,
        (now) => now === 1,
      );
      await produce(client, name, batchOf(['news']));
      expect((await answer).batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
      await Promise.all([client.close(), reader.close()]);
    });
  },
  { settings: { 'flush.group.commit': 'true' } },
  [TWO_BY_THREE],
);
