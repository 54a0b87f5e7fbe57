/** What the scripts of the classic protocol cannot say: ids and amounts at their limits, versions, groups of other kinds. */
import { describe, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { JoinRequest, JoinResponse } from '../../src/coordinator/group/messages.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { JoinGroup } from '../../src/wire/messages/join-group.ts';
import { NOTHING_SAID } from './consumer-world.ts';
import { bytesOf, caller, expectWritable, World } from './world.ts';

const JOIN: JoinRequest = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: bytesOf('x') }],
  reason: null,
};

function join(world: World, request: Partial<JoinRequest>, version: number, clientId = 'client'): JoinResponse[] {
  const answers: JoinResponse[] = [];
  world.shard.joinGroup({ ...JOIN, ...request }, caller(version, clientId), (body) => answers.push(body));
  return answers;
}

function commit(
  world: World,
  groupId: string,
  partitions: readonly number[],
  topic: { name: string; topicId: string },
  committedOffset = 5,
) {
  const errors: number[] = [];
  const request = {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      {
        ...topic,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          committedOffset,
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })),
      },
    ],
  };
  world.shard.offsetCommit(request, caller(topic.topicId === ZERO_UUID ? 9 : 10), ({ topics }) => {
    errors.push(...(topics[0]?.partitions.map(({ errorCode }) => errorCode) ?? []));
  });
  world.journal.commit();
  return errors;
}

function fetchOffset(world: World, groupId: string, topicId: string): number | undefined {
  let offset: number | undefined;
  const topics = [{ name: '', topicId, partitionIndexes: [0] }];
  world.shard.offsetFetch({ groupId, memberId: null, memberEpoch: -1, topics }, false, caller(10), (body) => {
    offset = body.topics[0]?.partitions[0]?.committedOffset;
  });
  return offset;
}

describe('joins', () => {
  test.each([
    [6, ''],
    [7, null],
  ])('version %i has no protocol to tell as %j', (version, protocolName) => {
    const [answer] = join(new World(), { groupId: '' }, version);
    expect(answer).toMatchObject({ errorCode: ERROR.INVALID_GROUP_ID, protocolName });
  });

  test.each([
    ['a'.repeat(32_767), null],
    ['é'.repeat(16_000), null],
    ['𝄞'.repeat(8_000), null],
    ['client', '𝄞'.repeat(8_000)],
  ])('a name of any length makes an id that can be sent and used (%#)', (clientId, groupInstanceId) => {
    const world = new World();
    const answers = join(world, { groupInstanceId }, 9, clientId);
    world.pass(10);
    const [answer] = answers as [JoinResponse];
    expectWritable(JoinGroup, 9, answer);
    const memberId = new TextDecoder().decode(bytesOf(answer.memberId));
    const again = join(world, { groupInstanceId, memberId }, 9, clientId);
    world.pass(10);
    expect(again).toMatchObject([{ errorCode: ERROR.NONE, memberId }]);
  });

  test('no two members have one id', () => {
    const world = new World();
    const ids = Array.from({ length: 100 }, () => join(world, {}, 4)[0]?.memberId);
    expect(new Set(ids).size).toBe(100);
  });
});

describe('offsets', () => {
  test('of a topic that was made anew under its name are not those of the old one', () => {
    const world = new World();
    const before = world.topics.idOf('t') as string;
    expect(commit(world, 'g', [0], { name: '', topicId: before })).toEqual([ERROR.NONE]);
    expect(fetchOffset(world, 'g', before)).toBe(5);
    world.topics.put('t', 4, world.random);
    expect(fetchOffset(world, 'g', world.topics.idOf('t') as string)).toBe(-1);
  });

  test('of a large group go in several batches, the group with the last', () => {
    const world = new World();
    const partitions = Array.from({ length: 10_000 }, (_, partition) => partition);
    world.topics.put('large', partitions.length, world.random);
    commit(world, 'g', partitions, { name: 'large', topicId: ZERO_UUID });
    join(world, {}, 3);
    world.pass(10);
    world.pass(1_000_000);
    world.journal.commit();
    const errors: number[] = [];

    world.shard.deleteGroup('g', (error) => errors.push(error));
    expect(world.journal.openCount).toBeGreaterThan(1);
    world.journal.lose(ERROR.KAFKA_STORAGE_ERROR, 1);
    world.journal.commit();
    expect(errors).toEqual([ERROR.NOT_COORDINATOR]);
    expect(world.shard.describeGroup('g', caller(5)).groupState).toBe('Empty');

    world.shard.deleteGroup('g', (error) => errors.push(error));
    while (world.journal.openCount > 0) world.journal.commit(1);
    expect(errors).toEqual([ERROR.NOT_COORDINATOR, ERROR.NONE]);
    expect(world.journal.log.at(-1)).toEqual({ kind: 'group-metadata', group: 'g', value: null });
    world.reload();
    expect(world.shard.listGroups({ states: [], types: [] })).toEqual([]);
  });
});

test('a group without a name has offsets all the same, of any size, and answers as it does in Kafka', () => {
  const world = new World();
  const { shard } = world;
  expect(commit(world, '', [0], { name: 't', topicId: ZERO_UUID })).toEqual([ERROR.NONE]);
  expect(commit(world, '', [0], { name: 't', topicId: ZERO_UUID }, -5)).toEqual([ERROR.NONE]);
  expect(fetchOffset(world, '', world.topics.idOf('t') as string)).toBe(-5);
  expect(shard.describeGroup('', caller(6))).toMatchObject({ errorCode: ERROR.NONE, groupState: 'Empty' });
  expect(shard.describeConsumerGroup('')).toMatchObject({ errorCode: ERROR.INVALID_GROUP_ID, errorMessage: null });
  const told: number[] = [];
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }];
  shard.offsetDelete({ groupId: '', topics }, caller(0), ({ errorCode }) => told.push(errorCode));
  shard.consumerGroupHeartbeat({ ...NOTHING_SAID, groupId: '' }, caller(1), ({ errorCode }) => told.push(errorCode));
  shard.deleteGroup('', (error) => told.push(error));
  world.journal.commit();
  shard.deleteGroup('', (error) => told.push(error));
  const { INVALID_GROUP_ID, INVALID_REQUEST, NONE, GROUP_ID_NOT_FOUND } = ERROR;
  expect(told).toEqual([INVALID_GROUP_ID, INVALID_REQUEST, NONE, GROUP_ID_NOT_FOUND]);
});

test('groups of another kind are no classic groups', () => {
  const world = new World();
  const told: unknown[] = [];
  const tell = (body: unknown) => told.push(body);
  const { shard } = world;
  const joins = { memberEpoch: 0, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions: [] };
  shard.consumerGroupHeartbeat({ ...NOTHING_SAID, memberId: 'm', ...joins }, caller(1), () => {});
  world.journal.commit();
  shard.joinGroup(JOIN, caller(9), tell);
  const identity = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };
  shard.syncGroup({ ...identity, protocolType: null, protocolName: null, assignments: [] }, caller(4), tell);
  shard.heartbeat(identity, caller(4), tell);
  expect(told).toMatchObject([
    { errorCode: ERROR.INCONSISTENT_GROUP_PROTOCOL, memberId: '' },
    { errorCode: ERROR.UNKNOWN_MEMBER_ID },
    { errorCode: ERROR.UNKNOWN_MEMBER_ID },
  ]);
  expect(shard.describeGroup('g', caller(6))).toMatchObject({
    errorCode: ERROR.GROUP_ID_NOT_FOUND,
    errorMessage: 'Group g is not a classic group.',
    groupState: 'Dead',
  });
});
