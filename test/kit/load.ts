/** Load that checks itself: writers and followers of partitions, whose connections must live through whatever happens meanwhile. */
import { expect } from 'vitest';
import { Produce } from '../../src/wire/messages/produce.ts';
import { RawClient } from './client.ts';
import { batchOf, filledBatch, textOf } from './records.ts';
import { fetch, initProducer, PRODUCE_VERSION, produce, producedOf, produceRequest } from './requests.ts';

const IN_FLIGHT = 5;

/**
 * Writes to a partition of its own, several requests at a time, until told to stop. Says how many; offsets must be in order.
 * An idempotent one numbers its batches, so that one that came twice or out of order would be refused.
 */
export async function writer(
  port: number,
  topic: string,
  partition: number,
  going: () => boolean,
  idempotent = false,
): Promise<number> {
  const client = await RawClient.connect(port, `writer-${partition}`);
  const producer = idempotent ? await initProducer(client) : null;
  let sent = 0;
  let answered = 0;
  const one = async (): Promise<void> => {
    while (going()) {
      const mine = sent++;
      const large = mine % 50 === 7;
      const options = producer === null ? {} : { ...producer, baseSequence: mine };
      const batch = large ? filledBatch(`${mine}`, 1, 150_000, options) : batchOf([`${mine}`], options);
      let produced: ReturnType<typeof produce>;
      if (mine % 9 === 0) {
        // In two deliveries, so that connections move in the middle of a frame.
        const { bytes, correlationId } = client.frame(
          Produce,
          PRODUCE_VERSION,
          produceRequest(topic, batch, { partition }),
        );
        produced = client.expect(Produce, PRODUCE_VERSION, correlationId).then(({ body }) => producedOf(body));
        const cut = 1 + (mine % (bytes.length - 1));
        client.write(bytes.subarray(0, cut));
        client.write(bytes.subarray(cut));
      } else produced = produce(client, topic, batch, { partition });
      const { errorCode, baseOffset } = await produced;
      expect([errorCode, baseOffset]).toEqual([0, mine]);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  expect(client.isOpen).toBe(true);
  await client.close();
  return answered;
}

/** Follows a partition by long polls until it has seen as many as `wanted` says. */
export async function follower(port: number, topic: string, partition: number, wanted: () => number): Promise<void> {
  const client = await RawClient.connect(port, `follower-${partition}`);
  let next = 0;
  while (next < wanted()) {
    const { errorCode, batches } = await fetch(client, topic, {
      partition,
      offset: next,
      minBytes: 1,
      maxWaitMs: 200,
      partitionMaxBytes: 400_000,
    });
    expect(errorCode).toBe(0);
    for (const { baseOffset, records } of batches) {
      expect([baseOffset, textOf(records[0]?.value ?? null)?.split('-')[0]]).toEqual([next, String(next)]);
      next += 1;
    }
  }
  expect(client.isOpen).toBe(true);
  await client.close();
}
