import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { formatUuid, randomUuid } from '../../src/base/uuid.ts';
import type { Endpoint, PartitionImage } from '../../src/cluster/image.ts';
import * as stored from '../../src/cluster/stored.ts';

const id = randomUuid(new SeededRandom(1));

describe("nodes hold Kafka's JSON", () => {
  it('topics', () => {
    const data = stored.encodeTopic(id, [[1], [2, 1]]);
    expect(JSON.parse(data)).toEqual({
      version: 3,
      topic_id: formatUuid(id),
      partitions: { 0: [1], 1: [2, 1] },
      adding_replicas: {},
      removing_replicas: {},
    });
    expect(stored.decodeTopic('/t', data)).toEqual({ id, replicas: [[1], [2, 1]] });
  });

  it('partition states', () => {
    const state: PartitionImage = { leader: 2, leaderEpoch: 4, partitionEpoch: 7, replicas: [1, 2], isr: [2] };
    const data = stored.encodePartitionState(state, 3);
    expect(JSON.parse(data)).toEqual({ controller_epoch: 3, leader: 2, version: 1, leader_epoch: 4, isr: [2] });
    expect(stored.decodePartitionState('/s', data, 7, [1, 2])).toEqual(state);
  });

  it('brokers', () => {
    const endpoints: Endpoint[] = [
      { listener: 'INTERNAL', protocol: 'PLAINTEXT', host: '10.0.0.1', port: 9092 },
      { listener: 'EXTERNAL', protocol: 'SASL_SSL', host: '::1', port: 9093 },
    ];
    const data = stored.encodeBroker(endpoints, 'r1', 77);
    expect(JSON.parse(data)).toMatchObject({
      version: 5,
      host: '10.0.0.1',
      port: 9092,
      timestamp: '77',
      endpoints: ['INTERNAL://10.0.0.1:9092', 'EXTERNAL://[::1]:9093'],
      listener_security_protocol_map: { INTERNAL: 'PLAINTEXT', EXTERNAL: 'SASL_SSL' },
      rack: 'r1',
    });
    expect(stored.decodeBroker('/b', 4, data, 12)).toEqual({ id: 4, epoch: 12, endpoints, rack: 'r1', fenced: false });
  });

  it('settings, also of strange names', () => {
    const configs = new Map([
      ['retention.ms', '5'],
      ['__proto__', 'x'],
    ]);
    expect(stored.decodeConfigs('/c', stored.encodeConfigs(configs))).toEqual(configs);
  });

  it('producer ids, the controller, the cluster, deleted topics', () => {
    expect(JSON.parse(stored.encodeProducerIdBlock(1, 2000, 2999))).toEqual({
      version: 1,
      broker: 1,
      block_start: '2000',
      block_end: '2999',
    });
    expect(stored.decodeProducerIdBlock('/p', stored.encodeProducerIdBlock(1, 2000, 2999))).toEqual({ end: 2999 });
    expect(stored.decodeController('/c', stored.encodeController(3, 5))).toBe(3);
    expect(stored.decodeControllerEpoch('/c', stored.encodeControllerEpoch(12))).toBe(12);
    expect(stored.decodeClusterId('/c', stored.encodeClusterId('abc'))).toBe('abc');
    expect(stored.decodeDeleted('/d', stored.encodeDeleted([id]))).toEqual([id]);
  });
});

describe('what is written wrongly is told by its path', () => {
  it.each<[string, () => unknown]>([
    ['no JSON', () => stored.decodeClusterId('/p', '{')],
    ['no object', () => stored.decodeClusterId('/p', '[]')],
    ['a field missing', () => stored.decodeClusterId('/p', '{}')],
    ['an id that is none', () => stored.decodeTopic('/p', '{"topic_id":"x","partitions":{}}')],
    ['a partition missing', () => stored.decodeTopic('/p', `{"topic_id":"${formatUuid(id)}","partitions":{"1":[1]}}`)],
    [
      'a replica that is no number',
      () => stored.decodeTopic('/p', `{"topic_id":"${formatUuid(id)}","partitions":{"0":["1"]}}`),
    ],
    ['a leader that is no number', () => stored.decodePartitionState('/p', '{"leader":"1"}', 0, [1])],
    [
      'an endpoint that is none',
      () => stored.decodeBroker('/p', 1, '{"endpoints":["x"],"listener_security_protocol_map":{}}', 0),
    ],
    ['an epoch that is none', () => stored.decodeControllerEpoch('/p', '')],
    ['a setting that is no text', () => stored.decodeConfigs('/p', '{"config":{"a":1}}')],
    ['a block without an end', () => stored.decodeProducerIdBlock('/p', '{"block_end":"x"}')],
    ['ids that are no list', () => stored.decodeDeleted('/p', '{}')],
  ])('%s', (_, decode) => {
    expect(decode).toThrow(stored.StoredDataError);
    expect(decode).toThrow('/p');
  });
});
