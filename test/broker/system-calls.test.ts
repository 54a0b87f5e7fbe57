/** The shape of the native transport's work as the kernel sees it: where it writes, when it syncs, how ranges leave. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/runtime/addon.ts';
import { LAYOUTS, type Layout, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const CALLS = 'openat,close,fdatasync,fsync,pwrite64,pwritev,pwritev2,write,writev,sendfile,ftruncate';

/** One completed call of the trace. */
interface Traced {
  readonly name: string;
  readonly words: string;
  readonly result: number;
}

let directory = '';
let broker: BrokerProcess | null = null;

afterEach(async () => {
  await broker?.kill();
  broker = null;
  rmSync(directory, { recursive: true, force: true });
});

async function traced(layout: Layout, settings: Readonly<Record<string, string>>): Promise<BrokerProcess> {
  directory = temporaryDirectory();
  // -y: descriptors are shown with their paths.
  const tracer = ['strace', '-f', '-y', '-qq', '-s', '0', '-e', `trace=${CALLS}`, '-o', join(directory, 'trace')];
  broker = new BrokerProcess(join(directory, 'data'), layout, settings, tracer);
  return broker.listening();
}

/** A call that another thread's line cuts in two is put together again. */
function calls(): Traced[] {
  const open = new Map<string, string>();
  const found: Traced[] = [];
  for (const line of readFileSync(join(directory, 'trace'), 'utf8').split('\n')) {
    const parts = /^(\d+)\s+(.*)$/.exec(line);
    if (parts === null) continue;
    const [, thread, rest] = parts as unknown as [string, string, string];
    if (rest.endsWith('<unfinished ...>')) {
      open.set(thread, rest.slice(0, -'<unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed === null ? rest : (open.get(thread) ?? '') + resumed[1];
    const call = /^(\w+)\((.*)\)\s+=\s+(-?\d+)/.exec(whole);
    if (call !== null) found.push({ name: call[1] as string, words: call[2] as string, result: Number(call[3]) });
  }
  return found;
}

/** Writes at a place: which file, where, how many bytes. */
function writesTo(ending: string): { path: string; offset: number; length: number }[] {
  return calls()
    .filter(({ name }) => name.startsWith('pwrite'))
    .flatMap(({ name, words, result }) => {
      const path = /^\d+<([^>]*)>/.exec(words)?.[1] ?? '';
      // pwritev2 has its flags behind the offset.
      const offset = Number(words.split(',').at(name === 'pwritev2' ? -2 : -1));
      return path.endsWith(ending) ? [{ path, offset, length: result }] : [];
    });
}

function expectAppends(ending: string): void {
  const ends = new Map<string, number>();
  const writes = writesTo(ending);
  expect(writes.length).toBeGreaterThan(0);
  for (const { path, offset, length } of writes) {
    expect([path, offset]).toEqual([path, ends.get(path) ?? 0]);
    ends.set(path, offset + length);
  }
}

const logSyncs = () => calls().filter(({ name, words }) => name === 'fdatasync' && words.includes('.log>'));

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
      expect(logSyncs()).toEqual([]);
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
      const syncs = logSyncs();
      expect(syncs.length).toBeGreaterThan(0);
      expect(syncs.length).toBeLessThan(count / 2);
      await Promise.all(clients.map((client) => client.close()));
      expectAppends('.log');
    });
  });
});
