import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import type { Change } from '../../src/cluster/changes.ts';
import { apply, changesOf, imageOf } from '../../src/cluster/changes.ts';
import type { PartitionImage, TopicImage } from '../../src/cluster/image.ts';
import { emptyImage, liveBrokers, topicById } from '../../src/cluster/image.ts';

const random = new SeededRandom(3);
const FIRST: PartitionImage = { leader: 1, leaderEpoch: 0, partitionEpoch: 0, replicas: [1], isr: [1] };

function newTopic(name: string, partitions = 1): TopicImage {
  return {
    name,
    id: randomUuid(random),
    partitions: Array.from({ length: partitions }, () => FIRST),
    configs: new Map(),
  };
}

function broker(id: number): Change {
  return { kind: 'brokerRegistered', broker: { id, epoch: id * 10, endpoints: [], rack: null, fenced: false } };
}

describe('apply', () => {
  it('makes the next image and leaves the last one as it was', () => {
    const a = newTopic('a', 2);
    const before = apply(emptyImage('c'), [broker(1), { kind: 'topicCreated', topic: a }]);
    const copy = { ...before, brokers: new Map(before.brokers), topics: structuredClone(Array.from(before.topics)) };
    const state: PartitionImage = { ...FIRST, leader: -1, leaderEpoch: 1 };
    const after = apply(before, [
      { kind: 'brokerFenced', id: 1 },
      broker(2),
      { kind: 'partitionChanged', topic: 'a', partition: 1, state },
      { kind: 'partitionsAdded', topic: 'a', partitions: [FIRST] },
      { kind: 'topicConfigsChanged', topic: 'a', configs: new Map([['retention.ms', '5']]) },
      { kind: 'brokerConfigsChanged', id: -1, configs: new Map([['x', 'y']]) },
      { kind: 'controllerChanged', id: 2, epoch: 8 },
      { kind: 'producerIdsAllocated', next: 3000 },
      { kind: 'topicCreated', topic: newTopic('b') },
    ]);
    expect({ ...before, topics: Array.from(before.topics) }).toEqual(copy);
    expect(after.topics.get('a')?.partitions).toEqual([FIRST, state, FIRST]);
    expect(after.topics.get('a')?.configs.get('retention.ms')).toBe('5');
    expect(topicById(after, a.id)?.name).toBe('a');
    expect(liveBrokers(after)).toEqual([2]);
    expect(liveBrokers(apply(after, [{ kind: 'brokerUnfenced', id: 1 }]))).toEqual([1, 2]);
    expect(after).toMatchObject({ controllerId: 2, controllerEpoch: 8, nextProducerId: 3000, clusterId: 'c' });
    expect(after.brokerConfigs.get(-1)).toEqual(new Map([['x', 'y']]));
  });

  it('keeps the ids of deleted topics until they are erased, and lets the name be used again', () => {
    const old = newTopic('a');
    const young = newTopic('a');
    const created = imageOf('c', [{ kind: 'topicCreated', topic: old }]);
    const again = apply(created, [
      { kind: 'topicDeleted', topic: 'a', id: old.id },
      { kind: 'topicCreated', topic: young },
    ]);
    expect(again.topics.get('a')?.id).toBe(young.id);
    expect(topicById(again, old.id)).toBeUndefined();
    expect(again.deletedTopics).toEqual(new Map([[old.id, 'a']]));
    expect(apply(again, [{ kind: 'topicErased', id: old.id }]).deletedTopics.size).toBe(0);
    // A late word of the old one's deletion does not touch the young one.
    expect(apply(again, [{ kind: 'topicDeleted', topic: 'a', id: old.id }]).topics.get('a')?.id).toBe(young.id);
  });

  it('does not accept what does not fit', () => {
    const image = imageOf('c', [{ kind: 'topicCreated', topic: newTopic('a') }]);
    const bad: Change[] = [
      { kind: 'topicCreated', topic: newTopic('a') },
      { kind: 'partitionChanged', topic: 'a', partition: 1, state: FIRST },
      { kind: 'partitionChanged', topic: 'b', partition: 0, state: FIRST },
      { kind: 'topicConfigsChanged', topic: 'b', configs: new Map() },
      { kind: 'brokerFenced', id: 4 },
    ];
    for (const change of bad) expect(() => apply(image, [change]), change.kind).toThrow();
  });

  it('shares what stayed the same', () => {
    const topics = Array.from({ length: 50 }, (_, i) => newTopic(`t${i}`, 200));
    const image = imageOf('c', [broker(1), ...topics.map((topic): Change => ({ kind: 'topicCreated', topic }))]);
    const state: PartitionImage = { ...FIRST, partitionEpoch: 1 };
    const next = apply(image, [{ kind: 'partitionChanged', topic: 't7', partition: 3, state }]);
    expect(next.brokers).toBe(image.brokers);
    expect(next.topicNames).toBe(image.topicNames);
    expect(next.topics.get('t8')).toBe(image.topics.get('t8'));
    expect(next.topics.get('t7')?.partitions[4]).toBe(image.topics.get('t7')?.partitions[4]);
    expect(apply(image, [])).toBe(image);
  });
});

it('an image is rebuilt from its own changes, also behind a structured clone', () => {
  const old = newTopic('gone');
  const image = imageOf('c', [
    broker(1),
    broker(2),
    { kind: 'brokerFenced', id: 2 },
    { kind: 'topicCreated', topic: old },
    { kind: 'topicCreated', topic: newTopic('a', 3) },
    { kind: 'topicDeleted', topic: 'gone', id: old.id },
    { kind: 'brokerConfigsChanged', id: 1, configs: new Map([['x', 'y']]) },
    { kind: 'controllerChanged', id: 1, epoch: 4 },
    { kind: 'producerIdsAllocated', next: 1000 },
  ]);
  expect(imageOf('c', structuredClone(changesOf(image)))).toEqual(image);
  expect(structuredClone(image)).toEqual(image);
});
