/** Many clients at once with requests of every size, some of which go away in the middle: each record lies where it was sent, and nowhere else. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import {
  createTopic,
  initProducer,
  listOffset,
  PRODUCE_VERSION,
  produce,
  produceRequest,
  readAll,
} from '../kit/requests.ts';

const CLIENTS = 12;
const ROUNDS = 60;
const SLOW_MS = 120_000;
/** Around the sizes at which a request is received in another way. */
const SIZES = [10, 900, 4_000, 30_000, 65_300, 66_000, 150_000, 262_200, 500_000];

/** Says whose it is in every part of it. */
function labelled(label: string, bytes: number): string {
  return `${label}|`.repeat(Math.ceil(bytes / (label.length + 1)));
}

inEveryLayout('mixed traffic', (home) => {
  test(
    'no bytes of one request are ever found in another partition',
    async () => {
      const first = await RawClient.connect(home.port);
      const topics = await Promise.all(
        Array.from({ length: 4 }, async () => (await createTopic(first, { partitions: 3 })).name),
      );
      const acknowledged = new Map<string, string>();
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, number) => {
          const dice = new SeededRandom(number + 1);
          let client = await RawClient.connect(home.port);
          const waiting: Promise<unknown>[] = [];
          for (let round = 0; round < ROUNDS; round++) {
            const topic = topics[dice.below(topics.length)] as string;
            const partition = dice.below(3);
            const label = `${topic}/${partition}/${number}/${round}`;
            const bytes = batchOf([labelled(label, SIZES[dice.below(SIZES.length)] as number)]);
            if (dice.below(10) === 0) {
              // Half a request, and gone: what was received of it makes room for others.
              await Promise.all(waiting.splice(0));
              const { bytes: frame } = client.frame(
                Produce,
                PRODUCE_VERSION,
                produceRequest(topic, bytes, { partition }),
              );
              client.write(frame.subarray(0, Math.floor(frame.length / 2)));
              await client.close();
              client = await RawClient.connect(home.port);
              continue;
            }
            waiting.push(
              produce(client, topic, bytes, { partition }).then(({ errorCode, baseOffset }) => {
                expect(errorCode).toBe(0);
                acknowledged.set(label, `${topic}/${partition} at ${baseOffset}`);
              }),
            );
            if (waiting.length >= 6) await Promise.all(waiting.splice(0));
          }
          await Promise.all(waiting);
          await client.close();
        }),
      );
      const found = new Map<string, string>();
      for (const topic of topics) {
        for (let partition = 0; partition < 3; partition++) {
          for (const { baseOffset, records } of await readAll(first, topic, { partition })) {
            const value = textOf(records[0]?.value ?? null) as string;
            const label = value.slice(0, value.indexOf('|'));
            expect(label.startsWith(`${topic}/${partition}/`)).toBe(true);
            expect(value === labelled(label, value.length)).toBe(true);
            expect(found.has(label)).toBe(false);
            found.set(label, `${topic}/${partition} at ${baseOffset}`);
          }
        }
      }
      expect(found.size).toBeGreaterThan((CLIENTS * ROUNDS) / 2);
      expect(found).toEqual(new Map(Array.from(found.keys(), (label) => [label, acknowledged.get(label)])));
      expect(found.size).toBe(acknowledged.size);
      await first.close();
    },
    SLOW_MS,
  );

  test('a producer whose connection breaks with five batches under way sends them again: one copy of each', async () => {
    const other = await RawClient.connect(home.port);
    const { name } = await createTopic(other, { partitions: 2 });
    const { producerId, producerEpoch } = await initProducer(other);
    let sequence = 0;
    const expected: string[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const batches = Array.from({ length: 5 }, (_, index) => {
        const values = [`${attempt}/${index}a`, `${attempt}/${index}b`];
        expected.push(...values);
        const batch = batchOf(values, { producerId, producerEpoch, baseSequence: sequence });
        sequence += values.length;
        return batch;
      });
      const breaking = await RawClient.connect(home.port);
      const lost = batches.map((batch) => produce(breaking, name, batch).catch(() => null));
      // After none, some or all of the answers.
      for (let index = 0; index < attempt % 6; index++) await lost[index];
      await breaking.close();
      const again = await Promise.all(batches.map((batch) => produce(other, name, batch)));
      const begin = attempt * 10;
      expect(again.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual(
        batches.map((_, index) => [0, begin + index * 2]),
      );
      await Promise.all(lost);
    }
    const values = (await readAll(other, name)).flatMap(({ records }) => records.map(({ value }) => textOf(value)));
    expect(values).toEqual(expected);
    expect((await listOffset(other, name, -1)).offset).toBe(expected.length);
    await other.close();
  });
});
