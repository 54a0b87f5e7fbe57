/** Several listeners: an acceptor for each, and answers that name the address of the one that was used. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { DescribeCluster, ENDPOINT_TYPE } from '../../src/wire/messages/describe-cluster.ts';
import type { RequestInput } from '../../src/wire/schema.ts';
import { BrokerHome, LAYOUTS } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { kcatOk, kcatRead } from '../kit/kcat.ts';
import { freshTopic, metadata } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const NOT_ASKED = -0x80000000;
/** What Kafka without an authorizer says of its cluster. */
const EVERYTHING = 8096;

function describeCluster(client: RawClient, version: number, more: Partial<RequestInput<typeof DescribeCluster>> = {}) {
  return client.call(DescribeCluster, version, {
    includeClusterAuthorizedOperations: false,
    endpointType: ENDPOINT_TYPE.BROKERS,
    includeFencedBrokers: false,
    ...more,
  });
}

describe.each(LAYOUTS)('two listeners ($name)', (layout) => {
  const home = new BrokerHome(layout, {
    port: undefined,
    settings: {
      listeners: 'INTERNAL://127.0.0.1:0,EXTERNAL://127.0.0.1:0',
      'advertised.listeners': 'EXTERNAL://broker.example:9999',
      'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT',
      'broker.rack': 'r7',
      'node.id': '4',
    },
  });
  beforeAll(() => home.start());
  afterAll(() => home.end());

  const ports = () => home.broker.listeners.map(({ port }) => port) as [internal: number, external: number];

  test('S030: each listener has an acceptor, and Metadata and DescribeCluster answer the address of the one that was used', async () => {
    const [internal, external] = ports();
    expect(internal).not.toBe(external);
    const addresses = [
      [internal, { host: '127.0.0.1', port: internal }],
      [external, { host: 'broker.example', port: 9999 }],
    ] as const;
    for (const [port, address] of addresses) {
      const client = await RawClient.connect(port);
      const answer = await metadata(client, []);
      expect(answer.brokers).toEqual([{ nodeId: 4, ...address, rack: 'r7' }]);
      for (const version of [0, 1, 2]) {
        expect(await describeCluster(client, version)).toMatchObject({
          errorCode: ERROR.NONE,
          clusterId: home.broker.clusterId,
          controllerId: 4,
          brokers: [{ brokerId: 4, ...address, rack: 'r7', isFenced: false }],
          clusterAuthorizedOperations: NOT_ASKED,
        });
      }
      await client.close();
    }
    const { roles } = await home.broker.metrics();
    expect(Object.keys(roles).filter((role) => role.startsWith('a'))).toEqual(['a0', 'a1']);
    expect([roles.a0?.connectionsOpened, roles.a1?.connectionsOpened]).toEqual([1, 1]);
  });

  test('pools change their size under both listeners', async () => {
    const clients = await Promise.all(ports().map((port) => RawClient.connect(port)));
    if (layout.name !== 'one thread') await home.broker.resize({ network: 3, io: 2 });
    for (const port of ports()) clients.push(await RawClient.connect(port));
    if (layout.name !== 'one thread') await home.broker.resize({ network: 1, io: 1 });
    const seen = await Promise.all(clients.map(async (client) => (await metadata(client, [])).brokers[0]?.port));
    expect(seen).toEqual([ports()[0], 9999, ports()[0], 9999]);
    await Promise.all(clients.map((client) => client.close()));
  });

  test.skipIf(!hasTool('kcat'))('kcat produces and reads through the listener that names itself', async () => {
    const topic = freshTopic('kcat');
    const address = `127.0.0.1:${ports()[0]}`;
    await kcatOk(['-P', '-b', address, '-t', topic], 'a\nb\n');
    expect((await kcatRead(address, topic)).map(({ payload }) => payload)).toEqual(['a', 'b']);
  });

  test('what may be done is told when asked; a broker is no controller, and nothing else either', async () => {
    const client = await RawClient.connect(ports()[0]);
    const asked = await describeCluster(client, 2, { includeClusterAuthorizedOperations: true });
    expect(asked.clusterAuthorizedOperations).toBe(EVERYTHING);
    for (const [endpointType, error] of [
      [ENDPOINT_TYPE.CONTROLLERS, ERROR.MISMATCHED_ENDPOINT_TYPE],
      [0, ERROR.UNSUPPORTED_ENDPOINT_TYPE],
      [3, ERROR.UNSUPPORTED_ENDPOINT_TYPE],
    ] as const) {
      expect(await describeCluster(client, 1, { endpointType })).toMatchObject({
        errorCode: error,
        clusterId: '',
        controllerId: -1,
        brokers: [],
      });
    }
    expect((await describeCluster(client, 2, { includeFencedBrokers: true })).brokers).toHaveLength(1);
    await client.close();
  });
});
