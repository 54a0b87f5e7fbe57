/** Processors, their queues and their connections, as a client and the metrics see them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { BrokerHome, eventually, inEveryLayout, TRANSPORT, TWO_BY_THREE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kcatOk } from '../kit/kcat.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import {
  createTopic,
  fetchedOf,
  fetchRequest,
  listOffset,
  PRODUCE_VERSION,
  produce,
  producedOf,
  produceRequest,
} from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };

async function connections(home: BrokerHome, wanted: number): Promise<number> {
  return eventually(
    async () => (await home.broker.metrics()).connections,
    (count) => count === wanted,
  );
}

test(`S025: 30 idle connections on 3 processors are 10 each in the metrics (${TRANSPORT})`, async () => {
  const home = new BrokerHome({ name: '3×1', settings: { 'num.network.threads': '3', 'num.io.threads': '1' } });
  await home.start();
  try {
    const clients = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(home.port)));
    expect(await connections(home, 30)).toBe(30);
    const { roles } = await home.broker.metrics();
    expect(['p0', 'p1', 'p2'].map((name) => roles[name]?.connectionsOpen)).toEqual([10, 10, 10]);
    await Promise.all(clients.map((client) => client.close()));
  } finally {
    await home.end();
  }
});

inEveryLayout('queues', (home) => {
  test('S026: 64 pipelined requests are answered in order, and the metrics tell of the request queue', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    const before = await home.broker.metrics();
    const order: number[] = [];
    const answers = Array.from({ length: 32 }, (_, index) => [
      client.ask(ApiVersions, 3, SOFTWARE).then(({ body }) => {
        order.push(2 * index);
        return body.errorCode;
      }),
      client.ask(Produce, PRODUCE_VERSION, produceRequest(name, batchOf([`${index}`]))).then(({ body }) => {
        order.push(2 * index + 1);
        return producedOf(body).baseOffset;
      }),
    ]).flat();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 32 }, (_, index) => [0, index]).flat());
    expect(order).toEqual(Array.from({ length: 64 }, (_, index) => index));
    const after = await home.broker.metrics();
    expect(after.total.requestsTaken - before.total.requestsTaken).toBe(32);
    expect(after.requestQueueSize).toBe(0);
    expect(after.requestQueueTimeMs).toBeGreaterThanOrEqual(0);
    expect(after.total.requestsUnderWay).toBe(0);
    await client.close();
  });

  test('S029: every processor has its response queue, and a reader that does not read delays nobody', async () => {
    const writer = await RawClient.connect(home.port);
    const { name } = await createTopic(writer);
    for (let index = 0; index < 12; index++) await produce(writer, name, filledBatch(`${index}`, 1, 900_000));
    const slow = await RawClient.connect(home.port);
    slow.socket.pause();
    let read = 0;
    const asked = Array.from({ length: 4 }, async () => {
      const answer = await slow.ask(Fetch, 12, fetchRequest(name));
      read += 1;
      return fetchedOf(answer)[0]?.batches.length;
    });
    const leases = await eventually(
      async () => (await home.broker.metrics()).leases,
      (count) => count > 0,
    );
    expect(leases).toBeGreaterThan(0);
    // Connections of every processor, the slow one's among them.
    const others = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(home.port)));
    for (const other of others) {
      expect((await produce(other, name, batchOf(['meanwhile']))).errorCode).toBe(0);
      expect((await listOffset(other, name, -2)).offset).toBe(0);
    }
    const metrics = await home.broker.metrics();
    const processors = Object.keys(metrics.roles).filter((role) => role.startsWith('p'));
    expect(metrics.responseQueueSize).toEqual(Object.fromEntries(processors.map((role) => [role, 0])));
    expect(read).toBe(0);
    slow.socket.resume();
    for (const batches of await Promise.all(asked)) expect(batches).toBeGreaterThanOrEqual(12);
    await Promise.all([writer, slow, ...others].map((client) => client.close()));
  });

  test('S033: both pools tell which share of their time they slept', async () => {
    const client = await RawClient.connect(home.port);
    const { name } = await createTopic(client);
    const before = await home.broker.metrics();
    for (let index = 0; index < 20; index++) await produce(client, name, batchOf([`${index}`]));
    const after = await home.broker.metrics();
    for (const metrics of [before, after]) {
      for (const share of [metrics.networkProcessorAvgIdlePercent, metrics.requestHandlerAvgIdlePercent]) {
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }
    const working = Object.keys(after.roles).filter((role) => /^[ph]/.test(role));
    for (const role of working) {
      expect(after.roles[role]?.sleeps).toBeGreaterThan(before.roles[role]?.sleeps as number);
      expect(after.roles[role]?.sleptMs).toBeLessThanOrEqual(after.upMs);
    }
    await client.close();
  });
});

describe('S034', () => {
  inEveryLayout('clients connect', (home) => {
    test('S034: kafkajs', async () => {
      const admin = new Kafka({ clientId: 'rows', brokers: [home.address], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      expect((await admin.describeCluster()).brokers).toEqual([{ nodeId: 0, host: '127.0.0.1', port: home.port }]);
      await admin.disconnect();
    });

    test.skipIf(!hasTool('kcat'))('S034: kcat', async () => {
      expect(await kcatOk(['-L', '-b', home.address])).toContain(`broker 0 at ${home.address}`);
    });
  });

  inEveryLayout(
    'sockets',
    (home) => {
      test('S034: one that says nothing and one that stopped talking go after connections.max.idle.ms', async () => {
        const silent = connect(home.port, '127.0.0.1');
        await once(silent, 'connect');
        const client = await RawClient.connect(home.port);
        expect((await client.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
        silent.resume();
        await Promise.all([once(silent, 'close'), client.ended]);
        expect(await connections(home, 0)).toBe(0);
      });

      test('S034: one that is reset goes at once', async () => {
        const client = await RawClient.connect(home.port);
        await client.call(ApiVersions, 3, SOFTWARE);
        client.socket.resetAndDestroy();
        expect(await connections(home, 0)).toBe(0);
      });

      test('S034: one that sends a request byte by byte goes after request.receive.timeout.ms', async () => {
        const socket = connect(home.port, '127.0.0.1').on('error', () => {});
        await once(socket, 'connect');
        const client = await RawClient.connect(home.port);
        const { bytes } = client.frame(ApiVersions, 3, SOFTWARE);
        await client.close();
        // One byte at a time, and never the last one: each is a sign of life, and none of them counts.
        let at = 0;
        const drip = setInterval(() => {
          if (at < bytes.length - 1) socket.write(bytes.subarray(at, ++at));
        }, 50);
        socket.resume();
        await once(socket, 'close');
        clearInterval(drip);
        expect(await connections(home, 0)).toBe(0);
      });
    },
    { settings: { 'connections.max.idle.ms': '1500', 'request.receive.timeout.ms': '700' } },
    [TWO_BY_THREE],
  );
});
