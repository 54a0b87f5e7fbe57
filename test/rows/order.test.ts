/** A partition is one line: every record has its place behind the one before, and no producer's records change places. */
import { expect, test } from 'vitest';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { produceMany } from '../kit/filling.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, readAll } from '../kit/requests.ts';

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
