import { describe, expect, it } from 'vitest';
import { imageFrom } from '../../src/cluster/contents.ts';
import type { PartitionImage, TopicImage } from '../../src/cluster/image.ts';
import { liveBrokers } from '../../src/cluster/image.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Cluster, ENDPOINTS, topic } from './kit.ts';

const THREE = [{ partitionIndex: 0, brokerIds: [1, 2, 3] }];

function state(cluster: Cluster): { leader: number; leaderEpoch: number; isr: readonly number[] } {
  const { leader, leaderEpoch, isr } = (cluster.image.topics.get('a') as TopicImage).partitions[0] as PartitionImage;
  return { leader, leaderEpoch, isr };
}

describe('a broker that goes and comes', () => {
  it('hands its partitions to the next one and has to catch up', () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.create(topic('a', { assignments: THREE }));
    expect(state(cluster)).toEqual({ leader: 1, leaderEpoch: 0, isr: [1, 2, 3] });
    cluster.lose(1);
    expect(state(cluster)).toEqual({ leader: 2, leaderEpoch: 1, isr: [2, 3] });
    expect(liveBrokers(cluster.image)).toEqual([2, 3]);
    cluster.register(1);
    expect(state(cluster)).toEqual({ leader: 2, leaderEpoch: 1, isr: [2, 3] });
    cluster.lose(3);
    cluster.lose(2);
    expect(state(cluster)).toEqual({ leader: -1, leaderEpoch: 2, isr: [2] });
    cluster.register(3);
    expect(state(cluster)).toEqual({ leader: -1, leaderEpoch: 2, isr: [2] });
    cluster.register(2);
    expect(state(cluster)).toEqual({ leader: 2, leaderEpoch: 3, isr: [2] });
  });

  it('may be fenced and unfenced within one registration', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'));
    const { epoch } = cluster.image.brokers.get(1) as { epoch: number };
    expect(cluster.ask('fenceBroker', { id: 1, epoch })).toEqual({ errorCode: 0 });
    expect(cluster.ask('fenceBroker', { id: 1, epoch })).toEqual({ errorCode: 0 });
    expect(state(cluster)).toEqual({ leader: -1, leaderEpoch: 1, isr: [1] });
    expect(cluster.create(topic('b'))).toEqual([['b', ERROR.INVALID_REPLICATION_FACTOR]]);
    expect(cluster.ask('unfenceBroker', { id: 1, epoch })).toEqual({ errorCode: 0 });
    expect(cluster.ask('unfenceBroker', { id: 1, epoch })).toEqual({ errorCode: 0 });
    expect(state(cluster)).toEqual({ leader: 1, leaderEpoch: 2, isr: [1] });
  });

  it('is told when it speaks of an earlier life', () => {
    const cluster = new Cluster();
    const { epoch } = cluster.image.brokers.get(1) as { epoch: number };
    for (const call of ['fenceBroker', 'unfenceBroker'] as const) {
      expect(cluster.ask(call, { id: 1, epoch: epoch - 1 })).toEqual({ errorCode: ERROR.STALE_BROKER_EPOCH });
      expect(cluster.ask(call, { id: 2, epoch })).toEqual({ errorCode: ERROR.BROKER_ID_NOT_REGISTERED });
    }
    const again = { id: 1, endpoints: ENDPOINTS, rack: null };
    expect(cluster.ask('registerBroker', { ...again, epoch })).toEqual({ errorCode: ERROR.NONE });
    expect(cluster.ask('registerBroker', { ...again, epoch: epoch - 1 })).toEqual({
      errorCode: ERROR.STALE_BROKER_EPOCH,
    });
  });
});

describe('a restart', () => {
  it('finds everything again; what gets its leader again does so in the next epoch', () => {
    const cluster = new Cluster();
    cluster.create(topic('a', { numPartitions: 2, configs: [{ name: 'retention.ms', value: '9' }] }), topic('b.c'));
    const before = cluster.image;
    cluster.restart([]);
    const loaded = cluster.image;
    expect(loaded.topics).toEqual(before.topics);
    expect(loaded).toMatchObject({ clusterId: 'test-cluster', controllerId: 1, controllerEpoch: 2 });
    expect(liveBrokers(loaded)).toEqual([]);
    cluster.register(1);
    const states = Array.from(cluster.image.topics.values(), (one) => one.partitions).flat();
    expect(states.map((one) => [one.leader, one.leaderEpoch, one.partitionEpoch])).toEqual(Array(5).fill([1, 1, 1]));
    expect(cluster.create(topic('b_c'))).toEqual([['b_c', ERROR.INVALID_TOPIC_EXCEPTION]]);
    expect(imageFrom(cluster.contents(), 'test-cluster').topics).toEqual(cluster.image.topics);
    expect(cluster.json('/brokers/topics/a/partitions/0/state')).toMatchObject({
      controller_epoch: 2,
      leader_epoch: 1,
    });
  });

  it('says what it cannot read', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'));
    cluster.write([{ kind: 'set', path: '/brokers/topics/a', data: '{}', version: -1 }]);
    expect(() => cluster.restart([])).toThrow('/brokers/topics/a');
  });
});
