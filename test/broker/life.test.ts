/** A broker's beginning and end inside a process: what it leaves behind, and how it fails. */
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { StartError, startBroker } from '../../src/broker.ts';
import { BLOCKER, place, type ThreadCount } from '../../src/host/placement.ts';
import {
  BrokerHome,
  brokerThreads,
  eventually,
  expectAtRest,
  inEveryLayout,
  LAYOUTS,
  openFiles,
  TRANSPORT,
} from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch, textOf } from '../kit/records.ts';
import { createTopic, fetch, metadata, produce, readAll } from '../kit/requests.ts';

const CORES = 2;
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));
afterEach(() => {
  workers.length = 0;
});

describe(`embedded (${TRANSPORT})`, () => {
  test('without a directory it has a temporary one, which goes with it', async () => {
    const broker = await startBroker({ cores: 2 });
    expect(broker.port).toBeGreaterThan(0);
    expect(existsSync(broker.directory)).toBe(true);
    const client = await RawClient.connect(broker.port);
    await createTopic(client);
    await client.close();
    await broker.close();
    expect(existsSync(broker.directory)).toBe(false);
    expect([...brokerThreads(), ...openFiles(broker.directory)]).toEqual([]);
  });

  test('nothing of it keeps the process, nothing is open after close', async () => {
    const counts = () => {
      const found = process.getActiveResourcesInfo();
      return ['MessagePort', 'Worker', 'TCPServerWrap', 'TCPSocketWrap', 'Timeout', 'Immediate'].map(
        (kind) => `${kind} ${found.filter((name) => name === kind).length}`,
      );
    };
    const files = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
    const once = async (): Promise<void> => {
      const broker = await startBroker({ cores: 2, settings: { 'num.network.threads': '2', 'num.io.threads': '2' } });
      const client = await RawClient.connect(broker.port);
      const { name } = await createTopic(client, { partitions: 4 });
      for (let partition = 0; partition < 4; partition++) await produce(client, name, batchOf(['v']), { partition });
      await fetch(client, name);
      await client.close();
      await expectAtRest(broker);
      await broker.close();
    };
    // The first one warms what the process opens once for all. Its ports close a little after it.
    await once();
    const measure = () => ({ resources: counts(), files: files() });
    const before = await eventually(measure, ({ resources }) => resources.includes('MessagePort 0'));
    expect(before.resources).toContain('MessagePort 0');
    await once();
    const after = await eventually(measure, (now) => JSON.stringify(now) === JSON.stringify(before));
    expect(after).toEqual(before);
  });

  test('close twice is one close, and connections are closed by it', async () => {
    const broker = await startBroker({ cores: 2 });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(broker.port)));
    const { name } = await createTopic(clients[0] as RawClient);
    const waiting = fetch(clients[1] as RawClient, name, { minBytes: 1, maxWaitMs: 600_000 });
    const lost = expect(waiting).rejects.toThrow();
    await metadata(clients[2] as RawClient, []);
    await Promise.all([broker.close(), broker.close()]);
    await Promise.all([lost, ...clients.map(({ ended }) => ended)]);
    const refused = connect(broker.port, '127.0.0.1');
    const [problem] = await new Promise<[NodeJS.ErrnoException]>((done) =>
      refused.once('error', (error) => done([error])),
    );
    expect(problem.code).toBe('ECONNREFUSED');
  });

  test('a start that cannot be leaves nothing behind', async () => {
    const broker = await startBroker({ cores: 2 });
    await expect(startBroker({ cores: 2, port: broker.port })).rejects.toThrow(StartError);
    await expect(startBroker({ cores: 2, directory: broker.directory })).rejects.toThrow(StartError);
    await expect(startBroker({ cores: 2, settings: { 'num.partitions': 'many' } })).rejects.toThrow(StartError);
    await broker.close();
    expect([...brokerThreads(), ...openFiles(broker.directory)]).toEqual([]);
  });
});

inEveryLayout('a restart', (home) => {
  test('keeps topics, records, offsets and settings', async () => {
    let client = await RawClient.connect(home.port);
    const kept = await createTopic(client, { partitions: 3, configs: { 'segment.bytes': '1048576' } });
    const written: string[][] = [[], [], []];
    for (let index = 0; index < 90; index++) {
      const values = [`${index}`.padEnd(20_000, '.'), `${index} too`];
      await produce(client, kept.name, batchOf(values), { partition: index % 3 });
      written[index % 3]?.push(...values);
    }
    const { clusterId } = home.broker;
    for (let round = 0; round < 2; round++) {
      await client.close();
      await home.restart();
      expect(home.broker.clusterId).toBe(clusterId);
      client = await RawClient.connect(home.port);
      const found = (await metadata(client, null)).topics.find(({ name }) => name === kept.name);
      expect([found?.topicId, found?.partitions.length]).toEqual([kept.id, 3]);
      for (let partition = 0; partition < 3; partition++) {
        const batches = await readAll(client, kept.name, { partition });
        expect(batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)))).toEqual(written[partition]);
      }
      const { baseOffset } = await produce(client, kept.name, batchOf(['after']));
      expect(baseOffset).toBe(written[0]?.length);
      written[0]?.push('after');
    }
    await client.close();
  });

  test('into other pools keeps them as well', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: 5 });
    for (let partition = 0; partition < 5; partition++)
      await produce(client, name, filledBatch(`${partition}`, 3, 100), { partition });
    await client.close();
    await home.stop();
    const settings = { 'num.network.threads': '1', 'num.io.threads': '4' };
    const other = await startBroker({ cores: 2, directory: home.directory, settings });
    const reader = await RawClient.connect(other.port);
    for (let partition = 0; partition < 5; partition++)
      expect(await readAll(reader, name, { partition })).toHaveLength(1);
    await reader.close();
    await other.close();
    await home.start();
  });
});

describe.each(LAYOUTS)(`a thread that dies ($name, ${TRANSPORT})`, (layout) => {
  const [network, io] = ['num.network.threads', 'num.io.threads'].map((name) =>
    layout.settings[name] === undefined ? 'auto' : Number(layout.settings[name]),
  ) as [ThreadCount, ThreadCount];
  // In the order in which they are started.
  const threads = [BLOCKER, ...place(network, io, CORES, TRANSPORT === 'portable').map(({ name }) => name)];

  test.each(threads)('%s fails the broker, which ends whole and lets go of its directory', async (victim) => {
    const home = new BrokerHome(layout, { cores: CORES });
    const broker = await home.start();
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client, { partitions: 4 });
    for (let partition = 0; partition < 4; partition++) await produce(client, name, batchOf(['kept']), { partition });
    expect(workers).toHaveLength(threads.length);
    void workers[threads.indexOf(victim)]?.terminate();
    const problem = await broker.failed;
    expect(problem.message).toBe(`thread ${victim} ended unasked with code 1`);
    await client.ended;
    home.failed();
    expect([...brokerThreads(), ...openFiles(home.directory)]).toEqual([]);
    const next = await startBroker({ cores: CORES, directory: home.directory });
    const reader = await RawClient.connect(next.port);
    for (let partition = 0; partition < 4; partition++)
      expect(await readAll(reader, name, { partition })).toHaveLength(1);
    await reader.close();
    await next.close();
    await broker.close();
    await home.end();
  });
});
