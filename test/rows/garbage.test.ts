/** What V8's garbage collector takes from the threads is a metric of each. */
import { expect, test } from 'vitest';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { eventually } from '../kit/eventually.ts';

const AT_ONCE = 400;
const WITHIN_MS = 25_000;

test('S146: pauses of the garbage collector are counted, added up, and the longest is kept', async () => {
  const home = new BrokerHome(ONE_THREAD);
  const broker = await home.start();
  const client = await RawClient.connect(home.port);
  const ask = () =>
    client.call(Metadata, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
  const { gcPauses, gcPauseMs, gcPauseLongestMs } = await eventually(
    async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      return (await broker.metrics()).roles.p0 as Readonly<Record<string, number>>;
    },
    (counters) => (counters.gcPauses ?? 0) > 1,
    WITHIN_MS,
  );
  expect(gcPauses).toBeGreaterThan(1);
  expect(gcPauseLongestMs).toBeGreaterThan(0);
  expect(gcPauseMs).toBeGreaterThan(gcPauseLongestMs as number);
  await client.close();
  await home.end();
});
