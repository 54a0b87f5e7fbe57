/** Which way bytes of the log take to the socket, as the broker's own counters tell. */
import { afterEach, expect, test } from 'vitest';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetchBytes, produce } from '../kit/requests.ts';

const BATCH_BYTES = 400_000;
let home: BrokerHome | null = null;

afterEach(async () => {
  await home?.end();
});

test.each([
  ['true', BATCH_BYTES, 0],
  ['false', 0, BATCH_BYTES],
])(
  'with zero.copy=%s a large range is sent by sendfile (at least %i bytes) or copied (%i)',
  async (zeroCopy, sent, copied) => {
    home = new BrokerHome(ONE_THREAD, { settings: { 'zero.copy': zeroCopy } });
    const broker = await home.start();
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    await produce(client, name, filledBatch('x', 1, BATCH_BYTES));
    expect((await fetchBytes(client, name, { partitionMaxBytes: 1_000_000 })).length).toBeGreaterThan(BATCH_BYTES);
    const { zeroCopyBytes, copiedBytes } = (await broker.metrics()).total;
    expect([zeroCopyBytes >= sent, zeroCopyBytes > 0]).toEqual([true, sent > 0]);
    expect([copiedBytes >= copied, copiedBytes > 0]).toEqual([true, copied > 0]);
    await client.close();
  },
);
