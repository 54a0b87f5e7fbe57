/** Batches on their way through the broker: what it writes into them, and that it leaves all the rest alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { inEveryLayout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, kernels } from '../kit/records.ts';
import { createTopic, fetch, fetchBytes, initProducer, produce } from '../kit/requests.ts';

const CODECS = Object.entries(batch.CODEC);

function coded(values: readonly string[], codec: number): Uint8Array {
  return batchOf(values, codec === batch.CODEC.NONE ? {} : { codec });
}

/** The broker's part taken out: where the batch lies and who leads. */
function unstamped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const { view } = memoryOver(copy);
  batch.setBaseOffset(view, 0, 0);
  batch.setPartitionLeaderEpoch(view, 0, -1);
  return copy;
}

inEveryLayout('batches', (home) => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(home.port);
  });
  afterAll(() => client.close());

  test.each(CODECS)('S021: what is fetched is a batch v2 with its offset and a good sum (%s)', async (_name, codec) => {
    const { name } = await createTopic(client);
    await produce(client, name, coded(['before', 'it'], codec));
    await produce(client, name, coded(['a', 'b', 'c'], codec));
    const bytes = await fetchBytes(client, name, { offset: 2 });
    const memory = memoryOver(bytes);
    const { view } = memory;
    expect(batch.sizeInBytes(view, 0)).toBe(bytes.length);
    expect(view.getInt8(16), 'magic').toBe(2);
    expect(batch.baseOffset(view, 0), 'the broker numbers').toBe(2);
    expect(batch.partitionLeaderEpoch(view, 0)).toBe(0);
    expect(batch.lastOffsetDelta(view, 0)).toBe(2);
    expect(batch.recordsCount(view, 0)).toBe(3);
    const sum = kernels.crc32c(memory, batch.ATTRIBUTES_AT, bytes.length - batch.ATTRIBUTES_AT);
    expect(batch.crc(view, 0)).toBe(sum);
  });

  test.each(CODECS)('S041: batches are stored and served as the same bytes (%s)', async (_name, codec) => {
    const { name } = await createTopic(client);
    const { producerId, producerEpoch } = await initProducer(client);
    const options = { producerId, producerEpoch, baseSequence: 0, ...(codec === 0 ? {} : { codec }) };
    const values = Array.from({ length: 50 }, (_, index) => `value ${index % 7}`);
    for (const sent of [batchOf(values, options), coded(values, codec)]) {
      const { baseOffset } = await produce(client, name, sent.slice());
      expect(unstamped(await fetchBytes(client, name, { offset: baseOffset }))).toEqual(sent);
    }
  });

  test('S041: one fetch gives many batches, as many as fit', async () => {
    const { name } = await createTopic(client);
    const size = filledBatch('x', 1, 1_000).length;
    for (let index = 0; index < 40; index++) await produce(client, name, filledBatch('x', 1, 1_000));
    const all = await fetch(client, name);
    expect(all.batches.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect((await fetch(client, name, { partitionMaxBytes: size * 10 })).batches).toHaveLength(10);
    expect((await fetch(client, name, { maxBytes: size * 7 })).batches).toHaveLength(7);
  });

  test('S041: the first batch is given even if it is larger than the limits', async () => {
    const { name } = await createTopic(client);
    await produce(client, name, filledBatch('large', 1, 200_000));
    await produce(client, name, filledBatch('small', 1, 10));
    for (const limit of [{ maxBytes: 1 }, { partitionMaxBytes: 1 }, { maxBytes: 1_000, partitionMaxBytes: 1_000 }]) {
      const { batches, bytes } = await fetch(client, name, limit);
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
      expect(bytes).toBeGreaterThan(200_000);
    }
  });
});
