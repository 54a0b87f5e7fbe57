import { describe, expect, it } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { imageFrom } from '../../src/cluster/contents.ts';
import type { NewTopic } from '../../src/cluster/requests.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { Cluster, DEFAULTS, topic } from './kit.ts';

function assignment(...lists: number[][]): NewTopic['assignments'] {
  return lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
}

describe('createTopics', () => {
  it('writes what Kafka keeps in ZooKeeper', () => {
    const cluster = new Cluster();
    const configs = [{ name: 'retention.ms', value: '5000' }];
    expect(cluster.create(topic('a', { numPartitions: 2, configs }))).toEqual([['a', ERROR.NONE]]);
    expect(cluster.json('/brokers/topics/a')).toMatchObject({ version: 3, partitions: { 0: [1], 1: [1] } });
    expect(cluster.json('/brokers/topics/a/partitions/1/state')).toEqual({
      controller_epoch: 1,
      leader: 1,
      version: 1,
      leader_epoch: 0,
      isr: [1],
    });
    expect(cluster.json('/config/topics/a')).toEqual({ version: 1, config: { 'retention.ms': '5000' } });
    expect(cluster.image.topics.get('a')).toMatchObject({
      partitions: [
        { leader: 1, leaderEpoch: 0, partitionEpoch: 0, replicas: [1], isr: [1] },
        { leader: 1, leaderEpoch: 0, partitionEpoch: 0, replicas: [1], isr: [1] },
      ],
    });
  });

  it('answers with counts and id, and takes the defaults', () => {
    const cluster = new Cluster([1, 2, 3], { defaults: { ...DEFAULTS, numPartitions: 4, replicationFactor: 2 } });
    const answer = cluster.ask('createTopics', { topics: [topic('a')], validateOnly: false }).topics[0];
    expect(answer).toMatchObject({
      name: 'a',
      errorCode: 0,
      errorMessage: null,
      numPartitions: 4,
      replicationFactor: 2,
    });
    expect(answer?.topicId).toBe(cluster.image.topics.get('a')?.id);
    expect(answer?.topicId).not.toBe(ZERO_UUID);
  });

  it.each<[string, NewTopic, number]>([
    ['an illegal name', topic('a b'), ERROR.INVALID_TOPIC_EXCEPTION],
    ['an empty name', topic(''), ERROR.INVALID_TOPIC_EXCEPTION],
    ['a name that is there', topic('there.is'), ERROR.TOPIC_ALREADY_EXISTS],
    ['a name that collides', topic('there_is'), ERROR.INVALID_TOPIC_EXCEPTION],
    ['no partition', topic('a', { numPartitions: 0 }), ERROR.INVALID_PARTITIONS],
    ['fewer than none', topic('a', { numPartitions: -2 }), ERROR.INVALID_PARTITIONS],
    ['no replica', topic('a', { replicationFactor: 0 }), ERROR.INVALID_REPLICATION_FACTOR],
    ['fewer replicas than none', topic('a', { replicationFactor: -2 }), ERROR.INVALID_REPLICATION_FACTOR],
    ['more replicas than brokers alive', topic('a', { replicationFactor: 3 }), ERROR.INVALID_REPLICATION_FACTOR],
    ['an unknown setting', topic('a', { configs: [{ name: 'x', value: '1' }] }), ERROR.INVALID_CONFIG],
    [
      'a setting without a value',
      topic('a', { configs: [{ name: 'retention.ms', value: null }] }),
      ERROR.INVALID_CONFIG,
    ],
    [
      'assignment and partitions',
      topic('a', { assignments: assignment([1]), numPartitions: 1 }),
      ERROR.INVALID_REQUEST,
    ],
    [
      'assignment and factor',
      topic('a', { assignments: assignment([1]), replicationFactor: 1 }),
      ERROR.INVALID_REQUEST,
    ],
    ['an unknown broker', topic('a', { assignments: assignment([9]) }), ERROR.INVALID_REPLICA_ASSIGNMENT],
    ['a broker twice', topic('a', { assignments: assignment([1, 1]) }), ERROR.INVALID_REPLICA_ASSIGNMENT],
    ['an empty list', topic('a', { assignments: assignment([]) }), ERROR.INVALID_REPLICA_ASSIGNMENT],
    [
      'lists of different lengths',
      topic('a', { assignments: assignment([1, 2], [1]) }),
      ERROR.INVALID_REPLICA_ASSIGNMENT,
    ],
    ['only dead brokers', topic('a', { assignments: assignment([3]) }), ERROR.INVALID_REPLICA_ASSIGNMENT],
    [
      'a gap in the partitions',
      topic('a', { assignments: [{ partitionIndex: 1, brokerIds: [1] }] }),
      ERROR.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'a partition twice',
      topic('a', { assignments: [...assignment([1]), ...assignment([2])] }),
      ERROR.INVALID_REPLICA_ASSIGNMENT,
    ],
    ['too many partitions', topic('a', { numPartitions: 10_001 }), ERROR.POLICY_VIOLATION],
  ])('refuses %s', (_, wanted, errorCode) => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.lose(3);
    cluster.create(topic('there.is'));
    const before = cluster.contents();
    const answer = cluster.ask('createTopics', { topics: [wanted], validateOnly: false }).topics[0];
    expect(answer).toMatchObject({ errorCode, numPartitions: -1, replicationFactor: -1, topicId: ZERO_UUID });
    expect(answer?.errorMessage).toMatch(/\.$/);
    expect(cluster.contents()).toEqual(before);
    expect(cluster.image.topics.size).toBe(1);
  });

  it('takes an assignment as it is, with the live part as ISR', () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.lose(3);
    expect(cluster.create(topic('a', { assignments: assignment([3, 2], [1, 3]) }))).toEqual([['a', ERROR.NONE]]);
    expect(cluster.image.topics.get('a')?.partitions).toMatchObject([
      { leader: 2, replicas: [3, 2], isr: [2] },
      { leader: 1, replicas: [1, 3], isr: [1] },
    ]);
  });

  it('decides each topic of a request on its own, and a repeated one not at all', () => {
    const cluster = new Cluster();
    const outcome = cluster.create(topic('a'), topic('b c'), topic('d'), topic('e.f'), topic('a'), topic('e_f'));
    expect(outcome).toEqual([
      ['a', ERROR.INVALID_REQUEST],
      ['b c', ERROR.INVALID_TOPIC_EXCEPTION],
      ['d', ERROR.NONE],
      ['e.f', ERROR.NONE],
      ['e_f', ERROR.INVALID_TOPIC_EXCEPTION],
    ]);
    expect(Array.from(cluster.image.topics.keys())).toEqual(['d', 'e.f']);
  });

  it('counts the partitions of the whole request', () => {
    const cluster = new Cluster([1], { defaults: { ...DEFAULTS, numPartitions: 3, partitionsPerRequestMax: 6 } });
    expect(cluster.create(topic('a'), topic('b', { numPartitions: 4 }))).toEqual([
      ['a', ERROR.POLICY_VIOLATION],
      ['b', ERROR.POLICY_VIOLATION],
    ]);
    expect(cluster.create(topic('a'), topic('b'))).toEqual([
      ['a', ERROR.NONE],
      ['b', ERROR.NONE],
    ]);
  });

  it('holds no more partitions than a broker can, whatever asks for them, and deleted ones make room', () => {
    const cluster = new Cluster([1], { defaults: { ...DEFAULTS, partitionsMax: 6 } });
    expect(cluster.create(topic('a'), topic('b', { numPartitions: 2 }))).toEqual([
      ['a', ERROR.NONE],
      ['b', ERROR.NONE],
    ]);
    expect(cluster.create(topic('c', { numPartitions: 2 }))).toEqual([['c', ERROR.POLICY_VIOLATION]]);
    const grow = (count: number) => {
      const topics = [{ name: 'b', count, assignments: null }];
      return cluster.ask('createPartitions', { topics, validateOnly: false }).results[0]?.errorCode;
    };
    expect([grow(4), grow(3)]).toEqual([ERROR.POLICY_VIOLATION, ERROR.NONE]);
    expect(cluster.ask('autoCreateTopics', { names: ['d'] }).topics).toMatchObject([
      { name: 'd', errorCode: ERROR.POLICY_VIOLATION },
    ]);
    cluster.restart([1]);
    expect(cluster.create(topic('c', { numPartitions: 1 }))).toEqual([['c', ERROR.POLICY_VIOLATION]]);
    cluster.ask('deleteTopics', { topics: [{ name: 'b', topicId: ZERO_UUID }] });
    expect(cluster.create(topic('c'))).toEqual([['c', ERROR.NONE]]);
    expect(cluster.create(topic('e', { numPartitions: 1 }))).toEqual([['e', ERROR.POLICY_VIOLATION]]);
  });

  it('only checks when asked to', () => {
    const cluster = new Cluster();
    const decision = cluster.controller.handle('createTopics', { topics: [topic('a')], validateOnly: true });
    expect(decision.response.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 });
    expect(decision.changes).toEqual([]);
    expect(decision.writes.map((write) => write.kind)).toEqual(['check']);
    cluster.carryOut(decision);
    expect(cluster.create(topic('a'))).toEqual([['a', ERROR.NONE]]);
  });

  it('creates by itself with the defaults, and finds what is there', () => {
    const cluster = new Cluster();
    cluster.create(topic('there', { numPartitions: 7 }));
    const names = ['there', 'new', 'new', 'bad name'];
    const outcome = cluster.ask('autoCreateTopics', { names }).topics;
    expect(outcome.map((one) => [one.name, one.errorCode, one.numPartitions])).toEqual([
      ['there', ERROR.NONE, 7],
      ['new', ERROR.NONE, 3],
      ['bad name', ERROR.INVALID_TOPIC_EXCEPTION, -1],
    ]);
  });
});

describe('decisions under way', () => {
  it('are seen by the next one, but not by anybody else before they are confirmed', () => {
    const cluster = new Cluster();
    const ask = (name: string) =>
      cluster.controller.handle('createTopics', { topics: [topic(name)], validateOnly: false });
    const first = ask('a.b');
    const second = ask('a.b');
    const third = ask('a_b');
    expect(second.response.topics[0]?.errorCode).toBe(ERROR.TOPIC_ALREADY_EXISTS);
    expect(third.response.topics[0]?.errorCode).toBe(ERROR.INVALID_TOPIC_EXCEPTION);
    expect(cluster.image.topics.size).toBe(0);
    cluster.carryOut(first);
    expect(cluster.image.topics.size).toBe(1);
    cluster.carryOut(second);
    cluster.carryOut(third);
    expect(cluster.image.topics.size).toBe(1);
  });

  it('are confirmed in order', () => {
    const cluster = new Cluster();
    cluster.controller.handle('createTopics', { topics: [topic('a')], validateOnly: false });
    const second = cluster.controller.handle('createTopics', { topics: [topic('b')], validateOnly: false });
    expect(() => cluster.controller.confirm(second)).toThrow('in order');
  });

  it('are refused by the store when another controller has taken over', () => {
    const cluster = new Cluster();
    const old = cluster.controller;
    cluster.restart([1]);
    const late = old.handle('createTopics', { topics: [topic('a')], validateOnly: false });
    expect(() => cluster.write(late.writes)).toThrow('refused: version');
    expect(cluster.tree.read('/brokers/topics/a')).toBeNull();
  });
});

describe('createPartitions', () => {
  it('adds partitions that go on where the others end', () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.create(topic('a', { numPartitions: 2, replicationFactor: 2 }));
    const old = cluster.image.topics.get('a')?.partitions;
    const outcome = cluster.ask('createPartitions', {
      topics: [{ name: 'a', count: 3, assignments: null }],
      validateOnly: false,
    });
    expect(outcome.results).toEqual([{ name: 'a', errorCode: 0, errorMessage: null }]);
    const partitions = cluster.image.topics.get('a')?.partitions ?? [];
    expect(partitions.slice(0, 2)).toEqual(old);
    expect(partitions.map((one) => one.leader).sort()).toEqual([1, 2, 3]);
    expect(partitions[2]).toMatchObject({ leaderEpoch: 0, partitionEpoch: 0 });
    expect(imageFrom(cluster.contents(), 'test-cluster').topics).toEqual(cluster.image.topics);
  });

  it('takes assignments of the new ones', () => {
    const cluster = new Cluster([1, 2]);
    cluster.create(topic('a', { numPartitions: 1 }));
    const assignments = [{ brokerIds: [2] }, { brokerIds: [1] }];
    cluster.ask('createPartitions', { topics: [{ name: 'a', count: 3, assignments }], validateOnly: false });
    expect(cluster.image.topics.get('a')?.partitions.slice(1)).toMatchObject([{ replicas: [2] }, { replicas: [1] }]);
  });

  it.each<[string, string, number, number[][] | null, number]>([
    ['an unknown topic', 'x', 5, null, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ['as many as there are', 'a', 3, null, ERROR.INVALID_PARTITIONS],
    ['fewer than there are', 'a', 2, null, ERROR.INVALID_PARTITIONS],
    ['too few assignments', 'a', 5, [[1, 2]], ERROR.INVALID_REPLICA_ASSIGNMENT],
    ['assignments with another factor', 'a', 4, [[1]], ERROR.INVALID_REPLICA_ASSIGNMENT],
    ['an unknown broker', 'a', 4, [[1, 9]], ERROR.INVALID_REPLICA_ASSIGNMENT],
    ['more replicas than brokers alive', 'b', 5, null, ERROR.INVALID_REPLICATION_FACTOR],
    ['too many at once', 'a', 11_000, null, ERROR.POLICY_VIOLATION],
  ])('refuses %s', (_, name, count, lists, errorCode) => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.create(topic('a', { replicationFactor: 2 }), topic('b', { replicationFactor: 3 }));
    cluster.lose(3);
    const before = cluster.contents();
    const assignments = lists === null ? null : lists.map((brokerIds) => ({ brokerIds }));
    const outcome = cluster.ask('createPartitions', { topics: [{ name, count, assignments }], validateOnly: false });
    expect(outcome.results).toMatchObject([{ name, errorCode }]);
    expect(cluster.contents()).toEqual(before);
  });
});

describe('deleteTopics', () => {
  it('removes a topic at once and keeps its id until its files are gone', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'), topic('b'));
    const first = cluster.image.topics.get('a')?.id as string;
    cluster.ask('deleteTopics', { topics: [{ name: 'a', topicId: ZERO_UUID }] });
    expect(cluster.image.topics.has('a')).toBe(false);
    for (const path of ['/brokers/topics/a', '/config/topics/a']) expect(cluster.tree.read(path)).toBeNull();
    expect(cluster.tree.children('/admin/delete_topics')).toEqual(['a']);

    expect(cluster.create(topic('a'))).toEqual([['a', ERROR.NONE]]);
    const second = cluster.image.topics.get('a')?.id as string;
    const byId = cluster.ask('deleteTopics', { topics: [{ name: null, topicId: second }] });
    expect(byId.topics).toEqual([{ name: 'a', topicId: second, errorCode: 0, errorMessage: null }]);
    expect(imageFrom(cluster.contents(), 'test-cluster').deletedTopics).toEqual(
      new Map([
        [first, 'a'],
        [second, 'a'],
      ]),
    );
    expect(cluster.ask('eraseTopics', { topicIds: [first] })).toEqual({ erased: 1 });
    expect(cluster.ask('eraseTopics', { topicIds: [first] })).toEqual({ erased: 0 });
    expect(cluster.tree.children('/admin/delete_topics')).toEqual(['a']);
    expect(cluster.ask('eraseTopics', { topicIds: [first, second, second] })).toEqual({ erased: 1 });
    expect(cluster.tree.children('/admin/delete_topics')).toEqual([]);
    expect(Array.from(cluster.image.topics.keys())).toEqual(['b']);
  });

  it('frees the name for one that would have collided', () => {
    const cluster = new Cluster();
    cluster.create(topic('a.b'));
    cluster.ask('deleteTopics', { topics: [{ name: 'a.b', topicId: ZERO_UUID }] });
    expect(cluster.create(topic('a_b'))).toEqual([['a_b', ERROR.NONE]]);
  });

  it('says what it cannot delete', () => {
    const cluster = new Cluster();
    cluster.create(topic('a'), topic('b'));
    const id = cluster.image.topics.get('a')?.id as string;
    const unknown = 'u'.repeat(16);
    const outcome = cluster.ask('deleteTopics', {
      topics: [
        { name: 'x', topicId: ZERO_UUID },
        { name: null, topicId: unknown },
        { name: null, topicId: ZERO_UUID },
        { name: 'b', topicId: id },
        { name: 'a', topicId: ZERO_UUID },
        { name: null, topicId: id },
      ],
    });
    expect(outcome.topics.map((one) => [one.name, one.errorCode])).toEqual([
      ['x', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      [null, ERROR.UNKNOWN_TOPIC_ID],
      [null, ERROR.INVALID_REQUEST],
      ['b', ERROR.INVALID_REQUEST],
      ['a', ERROR.INVALID_REQUEST],
    ]);
    const again = cluster.ask('deleteTopics', {
      topics: [
        { name: 'x', topicId: ZERO_UUID },
        { name: null, topicId: unknown },
        { name: 'x', topicId: ZERO_UUID },
        { name: null, topicId: unknown },
        { name: 'b', topicId: ZERO_UUID },
        { name: 'b', topicId: ZERO_UUID },
      ],
    });
    expect(again.topics.map((one) => [one.name, one.errorCode])).toEqual([
      ['x', ERROR.INVALID_REQUEST],
      [null, ERROR.INVALID_REQUEST],
      ['b', ERROR.INVALID_REQUEST],
    ]);
    expect(cluster.image.topics.size).toBe(2);
  });
});

describe('allocateProducerIds', () => {
  it('gives blocks that never repeat, also over a restart', () => {
    const cluster = new Cluster();
    const allocate = () => {
      const { epoch } = cluster.image.brokers.get(1) as { epoch: number };
      return cluster.ask('allocateProducerIds', { brokerId: 1, brokerEpoch: epoch });
    };
    expect(allocate()).toEqual({ errorCode: 0, producerIdStart: 0, producerIdLen: 1000 });
    expect(allocate()).toMatchObject({ producerIdStart: 1000 });
    cluster.restart([1]);
    expect(allocate()).toMatchObject({ producerIdStart: 2000 });
    expect(cluster.json('/latest_producer_id_block')).toMatchObject({
      broker: 1,
      block_start: '2000',
      block_end: '2999',
    });
  });

  it('knows whom it gives them to', () => {
    const cluster = new Cluster();
    const ask = (brokerId: number, brokerEpoch: number) =>
      cluster.ask('allocateProducerIds', { brokerId, brokerEpoch });
    expect(ask(2, 0)).toEqual({ errorCode: ERROR.BROKER_ID_NOT_REGISTERED, producerIdStart: -1, producerIdLen: 0 });
    expect(ask(1, 0)).toMatchObject({ errorCode: ERROR.STALE_BROKER_EPOCH });
  });
});
