/** The shape of the native transport's work as the kernel sees it: where it writes, when it syncs, how ranges leave. */
import { afterEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/runtime/ground/addon.ts';
import { LAYOUTS, type Layout } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { logSyncs, notAtTheEnd, TracedBroker, type TracedCall, writesTo } from '../kit/traced-broker.ts';

let broker: TracedBroker | null = null;

afterEach(async () => {
  await broker?.end();
  broker = null;
});

function traced(layout: Layout, settings: Readonly<Record<string, string>>): Promise<TracedBroker> {
  broker = new TracedBroker(layout, settings);
  return broker.listening();
}

function calls(): TracedCall[] {
  return broker?.calls() ?? [];
}

function expectAppends(ending: string): void {
  const writes = writesTo(calls(), ending);
  expect(writes.length).toBeGreaterThan(0);
  expect(notAtTheEnd(writes)).toEqual([]);
}

describe.skipIf(loadAddon() === null || !hasTool('strace'))('system calls', () => {
  describe.each(LAYOUTS)('$name', (layout) => {
    test('default: appends at the end, no sync, sendfile for large ranges only', async () => {
      const { port } = await traced(layout, {});
      const client = await RawClient.connect(port);
      const { name } = await createTopic(client, { partitions: 2, configs: { 'segment.bytes': '1048576' } });
      for (let index = 0; index < 60; index++) {
        await produce(client, name, filledBatch(`${index}`, 2, index % 10 === 0 ? 60_000 : 1_000), {
          partition: index % 2,
        });
      }
      const before = calls().filter((call) => call.name === 'sendfile').length;
      expect(before).toBe(0);
      expect((await fetch(client, name, { offset: 2, partitionMaxBytes: 1_000 })).bytes).toBeLessThan(65_536);
      expect(calls().filter((call) => call.name === 'sendfile')).toEqual([]);
      expect((await fetch(client, name)).bytes).toBeGreaterThan(65_536);
      const sent = calls().filter((call) => call.name === 'sendfile');
      expect(sent.length).toBeGreaterThan(0);
      for (const { words, result } of sent) {
        expect(words).toContain('.log>');
        expect(result).toBeGreaterThan(0);
      }
      await readAll(client, name, { partition: 1 });
      await client.close();
      expectAppends('.log');
      expect(logSyncs(calls())).toEqual([]);
    });

    test('group commit: one sync for many acknowledgements', async () => {
      const { port } = await traced(layout, { 'flush.group.commit': 'true' });
      const clients = await Promise.all(Array.from({ length: 16 }, () => RawClient.connect(port)));
      const { name } = await createTopic(clients[0] as RawClient);
      const rounds = 10;
      const acknowledged = await Promise.all(
        clients.map(async (client) => {
          const answers = Array.from({ length: rounds }, () => produce(client, name, filledBatch('x', 1, 500)));
          return (await Promise.all(answers)).filter(({ errorCode }) => errorCode === 0).length;
        }),
      );
      const count = acknowledged.reduce((sum, one) => sum + one, 0);
      expect(count).toBe(clients.length * rounds);
      const syncs = logSyncs(calls());
      expect(syncs.length).toBeGreaterThan(0);
      expect(syncs.length).toBeLessThan(count / 2);
      await Promise.all(clients.map((client) => client.close()));
      expectAppends('.log');
    });
  });
});
