/** How the native transport treats the log files, as the kernel sees it: appends, syncs, zero copy, and a cost that does not grow with the log. */
import { statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/runtime/ground/addon.ts';
import { eventually, type Layout, ONE_THREAD, TRANSPORT, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { kcatOk } from '../kit/kcat.ts';
import { logFiles } from '../kit/log-files.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { logSyncs, notAtTheEnd, TracedBroker, type TracedCall, writesTo } from '../kit/traced-broker.ts';

const MIB = 1_048_576;
const SLOW_MS = 120_000;

let broker: TracedBroker;

afterEach(() => broker.end());

async function traced(layout: Layout, settings: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  broker = new TracedBroker(layout, settings);
  return RawClient.connect((await broker.listening()).port);
}

const canTrace = TRANSPORT === 'native' && loadAddon() !== null && hasTool('strace') && hasTool('kcat');

describe.skipIf(!canTrace).each([ONE_THREAD, TWO_BY_THREE])('system calls ($name)', (layout) => {
  test(
    'S035: records and index entries are only ever written behind what is there',
    async () => {
      const client = await traced(layout);
      const { name } = await createTopic(client, { partitions: 2, configs: { 'segment.bytes': String(MIB) } });
      const lines = Array.from({ length: 4_000 }, (_, index) => `${index}`.padEnd(500, '.')).join('\n');
      const address = `127.0.0.1:${broker.port}`;
      for (const partition of ['0', '1'])
        await kcatOk(['-P', '-b', address, '-t', name, '-p', partition, '-X', 'batch.num.messages=20'], lines);
      await produceMany(client, name, 20, () => filledBatch('large', 2, 40_000));
      await readAll(client, name);
      await client.close();
      const mine = broker.calls().filter(({ words }) => words.includes(`/${name}-`));
      for (const ending of ['.log', '.index', '.timeindex']) {
        const writes = writesTo(mine, ending);
        expect(new Set(writes.map(({ path }) => path)).size).toBeGreaterThanOrEqual(4);
        expect([ending, notAtTheEnd(writes)]).toEqual([ending, []]);
      }
      expect(writesTo(mine, '.log').length).toBeGreaterThan(10);
      // No place in a log is sought, and nothing is written to one where it happens to stand.
      const others = mine.filter(
        ({ name, words }) => /^(lseek|writev?|ftruncate)$/.test(name) && words.includes('.log>'),
      );
      expect(others).toEqual([]);
    },
    SLOW_MS,
  );

  test(
    'S039: kcat gets the log by sendfile',
    async () => {
      const client = await traced(layout);
      const { name } = await createTopic(client);
      await produceMany(client, name, 100, () => filledBatch('x', 2, 50_000));
      await client.close();
      const kept = statSync(logFiles(partitionPath(broker.data, name), '.log')[0] as string).size;
      expect(kept).toBeGreaterThan(10_000_000);
      const words = [
        '-C',
        '-b',
        `127.0.0.1:${broker.port}`,
        '-t',
        name,
        '-o',
        'beginning',
        '-e',
        '-q',
        '-f',
        '%o %S\n',
      ];
      const lines = (await kcatOk(words)).trim().split('\n');
      expect(lines).toEqual(Array.from({ length: 200 }, (_, offset) => `${offset} 50000`));
      /** Bytes of the log that went by that call; descriptors of sendfile are the socket, then the file. */
      const bytesBy = (calls: readonly TracedCall[], call: RegExp) =>
        calls
          .filter(({ name: called, words, result }) => call.test(called) && words.includes(`/${name}-0/`) && result > 0)
          .reduce((sum, { result }) => sum + result, 0);
      // A call is in the trace a moment after its bytes have arrived.
      const sent = await eventually(
        () => bytesBy(broker.calls(), /^sendfile$/),
        (bytes) => bytes >= kept,
      );
      expect(sent).toBeGreaterThanOrEqual(kept);
      // Beside it only headers and ends too small for it are read.
      expect(bytesBy(broker.calls(), /^p?read/)).toBeLessThan(kept / 20);
    },
    SLOW_MS,
  );

  test(
    'S043: by default nothing is synced, with log.flush.interval.messages=1 each append is, once',
    async () => {
      const count = 25;
      for (const [settings, syncs] of [
        [{}, 0],
        [{ 'log.flush.interval.messages': '1' }, count],
      ] as const) {
        const client = await traced(layout, settings);
        const { name } = await createTopic(client);
        for (let index = 0; index < count; index++)
          expect((await produce(client, name, filledBatch('x', 1, 100))).baseOffset).toBe(index);
        expect((await fetch(client, name)).batches).toHaveLength(count);
        const calls = broker.calls().filter(({ words }) => words.includes(`/${name}-0/`));
        expect(writesTo(calls, '.log')).toHaveLength(count);
        expect(logSyncs(calls)).toHaveLength(syncs);
        // Before the answer, so before the next one is written.
        const order = calls.filter(({ name, words }) => words.includes('.log>') && /^(pwrite|fdatasync)/.test(name));
        const expected = syncs === 0 ? ['w'] : ['w', 's'];
        expect(order.map(({ name }) => (name.startsWith('pwrite') ? 'w' : 's'))).toEqual(
          Array.from({ length: count }, () => expected).flat(),
        );
        await client.close();
        if (syncs === 0) await broker.end();
      }
    },
    SLOW_MS,
  );

  test(
    'S139: what an append and a fetch at the end ask of the kernel does not depend on how much is kept',
    async () => {
      const client = await traced(layout);
      const topic = (await createTopic(client, { configs: { 'segment.bytes': String(MIB) } })).name;
      const marks = (await createTopic(client)).name;
      const batch = filledBatch('fill', 2, 32_000);
      const path = partitionPath(broker.data, topic);
      const activeBytes = () => statSync(logFiles(path, '.log').at(-1) as string).size;
      /** `count` batches, and then as many as it takes to stand near the beginning of a segment. */
      const fill = async (count: number) => {
        await produceMany(client, topic, count, () => batch);
        while (activeBytes() > 2 * batch.length) await produce(client, topic, batch);
        await pair();
      };
      /** An append and a fetch of it. */
      const pair = async () => {
        const { baseOffset, errorCode } = await produce(client, topic, filledBatch('tail', 1, 1_000));
        expect(errorCode).toBe(0);
        const { batches } = await fetch(client, topic, { offset: baseOffset });
        expect(batches.map((one) => one.baseOffset)).toEqual([baseOffset]);
      };
      /** Calls on files of the topic, up to the mark that is then written on the same connection. */
      const measure = async (mark: number) => {
        await produce(client, marks, filledBatch(`begin ${mark}`, 1, 10));
        for (let index = 0; index < 30; index++) await pair();
        await produce(client, marks, filledBatch(`end ${mark}`, 1, 10));
        const calls = broker.calls();
        const places = calls.flatMap(({ name, words }, at) =>
          name.startsWith('pwrite') && words.includes(`/${marks}-0/`) && words.includes('.log>') ? [at] : [],
        );
        expect(places).toHaveLength(2 * mark);
        const between = calls.slice(places.at(-2), places.at(-1)).filter(({ words }) => words.includes(`/${topic}-0/`));
        // Finished segments are synced on the side, whenever that is done.
        const asked = between.filter(({ name }) => !/^(fdatasync|fsync|close)$/.test(name));
        const counts: Record<string, number> = {};
        for (const { name, words, result } of asked) {
          const file = /\.(log|index|timeindex|snapshot)/.exec(words)?.[1] ?? 'other';
          counts[`${name} ${file}`] = (counts[`${name} ${file}`] ?? 0) + 1;
          if (/^p?(read|write)|^sendfile/.test(name)) counts[`${name} bytes`] = (counts[`${name} bytes`] ?? 0) + result;
        }
        return counts;
      };
      await fill(10);
      const small = await measure(1);
      await fill(20);
      const before = await measure(2);
      await fill(600);
      const large = await measure(3);
      expect(Object.values(small).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(30);
      expect(before).toEqual(small);
      expect(large).toEqual(small);
      expect(logFiles(path, '.log').length).toBeGreaterThan(35);
    },
    SLOW_MS,
  );
});
