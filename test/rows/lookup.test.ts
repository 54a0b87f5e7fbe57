/** A fetch at any offset of a log of many segments begins with the batch that holds it, and clients see the record they asked for. */
import { beforeAll, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { kcatOk } from '../kit/kcat.ts';
import { baseOffsetOf, fileBatches, logFiles } from '../kit/log-files.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, fetch, freshTopic } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const SEGMENTS = 20;
const SLOW_MS = 120_000;

interface Place {
  readonly first: number;
  readonly last: number;
}

inEveryLayout('20 segments', (home) => {
  const topic = freshTopic('long');
  /** By offset: the batch it is in. */
  const places: Place[] = [];
  /** First and last offsets of segments, and offsets in the middle of batches. */
  const edges: number[] = [];

  beforeAll(async () => {
    const client = await RawClient.connect(home.port);
    const dice = new SeededRandom(3);
    await createTopic(client, { name: topic, configs: { 'segment.bytes': '1048576' } });
    for (let bytes = 0; bytes < SEGMENTS * 1_048_576; ) {
      const batches: Uint8Array[] = [];
      for (let index = 0; index < 40; index++) {
        const first = places.length;
        const count = 1 + dice.below(12);
        const last = first + count - 1;
        for (let offset = first; offset <= last; offset++) places.push({ first, last });
        if (count > 2) edges.push(first + 1 + dice.below(count - 2));
        batches.push(batchOf(Array.from({ length: count }, (_, at) => `record ${first + at} `.padEnd(4_000, '.'))));
      }
      bytes += batches.reduce((sum, { length }) => sum + length, 0);
      await produceMany(client, topic, batches.length, (index) => batches[index] as Uint8Array);
    }
    await client.close();
    const files = logFiles(partitionPath(home.directory, topic), '.log');
    expect(files.length).toBeGreaterThanOrEqual(SEGMENTS);
    const begins = files.map(baseOffsetOf);
    edges.push(...begins, ...begins.slice(1).map((begin) => begin - 1), places.length - 1);
    expect(fileBatches(files[7] as string).at(-1)?.lastOffset).toBe((begins[8] as number) - 1);
  }, SLOW_MS);

  test(
    'S003: a fetch at any of 1,000 offsets gives the whole batch that holds it',
    async () => {
      const client = await RawClient.connect(home.port);
      const dice = new SeededRandom(5);
      const offsets = [
        ...edges.slice(-2 * SEGMENTS),
        ...Array.from({ length: 1_000 }, () => dice.below(places.length)),
      ];
      for (const offset of offsets) {
        const { errorCode, batches } = await fetch(client, topic, { offset, partitionMaxBytes: 1 });
        const { first, last } = places[offset] as Place;
        expect([errorCode, batches.length, batches[0]?.baseOffset, batches[0]?.lastOffset]).toEqual([
          0,
          1,
          first,
          last,
        ]);
        const record = batches[0]?.records[offset - first];
        expect(textOf(record?.value ?? null)).toMatch(new RegExp(`^record ${offset} \\.`));
      }
      expect((await fetch(client, topic, { offset: places.length })).bytes).toBe(0);
      await client.close();
    },
    SLOW_MS,
  );

  test.skipIf(!hasTool('kcat'))(
    'S003: kcat that asks for one record gets it, also in the middle of a batch and at the end of a segment',
    async () => {
      const dice = new SeededRandom(7);
      const sample = Array.from({ length: 50 }, () => edges[dice.below(edges.length)] as number);
      const offsets = [0, places.length - 1, ...edges.slice(-10), ...sample];
      for (let at = 0; at < offsets.length; at += 4) {
        const some = offsets.slice(at, at + 4);
        const printed = await Promise.all(
          some.map((offset) => {
            const words = ['-C', '-b', home.address, '-t', topic, '-p', '0', '-o', String(offset), '-c', '1', '-q'];
            return kcatOk([...words, '-f', '%o %s']);
          }),
        );
        for (const [index, offset] of some.entries())
          expect(printed[index]).toMatch(new RegExp(`^${offset} record ${offset} \\.+$`));
      }
    },
    SLOW_MS,
  );
});

inEveryLayout('batches of every codec', (home) => {
  describe.each(Object.entries(CODEC))('%s', (_, codec) => {
    test('S003: no offset of any batch is skipped', async () => {
      const client = await RawClient.connect(home.port);
      const { name } = await createTopic(client, { configs: { 'index.interval.bytes': '200' } });
      const count = 7;
      await produceMany(client, name, 20, (index) =>
        batchOf(
          Array.from({ length: count }, (_, at) => `record ${index * count + at}`),
          codec === CODEC.NONE ? {} : { codec },
        ),
      );
      for (let offset = 0; offset < 20 * count; offset++) {
        const { batches } = await fetch(client, name, { offset });
        expect(batches[0]?.baseOffset).toBe(offset - (offset % count));
        // The rest of the log is there, without a hole.
        const values = batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)));
        const first = offset - (offset % count);
        expect(values).toEqual(Array.from({ length: 20 * count - first }, (_, at) => `record ${first + at}`));
      }
      await client.close();
    });
  });
});
