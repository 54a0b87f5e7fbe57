/**
 * Groups of the consumer protocol on their shard: what a write that is under way or lost means, times that run out, what another
 * owner knows, topics that change, and how groups of both kinds share one space of ids.
 */
import { describe, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { ConsumerHeartbeatRequest, ConsumerHeartbeatResponse } from '../../src/coordinator/group/messages.ts';
import { ERROR, errorName } from '../../src/wire/errors.ts';
import { ConsumerGroupDescribe } from '../../src/wire/messages/consumer-group-describe.ts';
import { ConsumerGroupHeartbeat } from '../../src/wire/messages/consumer-group-heartbeat.ts';
import { NOTHING_SAID } from './consumer-world.ts';
import { bytesOf, caller, expectWritable, World } from './world.ts';

type Said = Partial<ConsumerHeartbeatRequest> & { readonly owns?: readonly number[] };

const SESSION_MS = 45_000;
const HOUR_MS = 3_600_000;

/** Topics `t` and `u` have four partitions each; partitions that are told are those of `t`, those of others by name. */
class Scene {
  readonly world = new World();

  beat(memberId: string, memberEpoch: number, { owns, ...said }: Said = {}, group = 'g'): string[] {
    const answers: string[] = [];
    const t = this.world.topics.idOf('t') as string;
    const owned =
      owns === undefined ? {} : { topicPartitions: owns.length === 0 ? [] : [{ topicId: t, partitions: [...owns] }] };
    const request = { ...NOTHING_SAID, groupId: group, memberId, memberEpoch, ...owned, ...said };
    this.world.shard.consumerGroupHeartbeat(request, caller(1), (body) => {
      expectWritable(ConsumerGroupHeartbeat, 1, body);
      answers.push(this.#shown(body));
    });
    return answers;
  }

  join(memberId: string, said: Said = {}, group = 'g'): string[] {
    return this.beat(
      memberId,
      0,
      { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], owns: [], ...said },
      group,
    );
  }

  /** With what it wrote in the log. */
  now(answers: string[]): string {
    this.world.journal.commit();
    expect(answers).toHaveLength(1);
    return answers[0] as string;
  }

  #shown({ errorCode, memberEpoch, assignment }: ConsumerHeartbeatResponse): string {
    if (errorCode !== ERROR.NONE) return errorName(errorCode);
    const told = assignment?.topicPartitions.map(({ topicId, partitions }) => {
      const name = this.world.topics.nameOf(topicId);
      return `${name === 't' ? '' : `${name}/`}${partitions.toSorted((a, b) => a - b).join(' ')}`;
    });
    return `epoch ${memberEpoch}${told === undefined ? '' : `: ${told.toSorted().join(', ')}`}`;
  }

  get state(): string {
    return this.describe().groupState;
  }

  get members(): string[] {
    return this.describe().members.map(({ memberId, memberEpoch }) => `${memberId} ${memberEpoch}`);
  }

  describe(group = 'g') {
    const described = this.world.shard.describeConsumerGroup(group);
    expectWritable(ConsumerGroupDescribe, 1, { throttleTimeMs: 0, groups: [described] });
    return described;
  }

  list(): string[] {
    return this.world.shard
      .listGroups({ states: [], types: [] })
      .map(
        ({ groupId, groupType, groupState, protocolType }) => `${groupId} ${groupType} ${groupState} ${protocolType}`,
      );
  }

  joinClassic(memberId = '', groupId = 'g'): string[] {
    const answers: string[] = [];
    const request = {
      groupId,
      memberId,
      groupInstanceId: null,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: bytesOf('x') }],
      reason: null,
    };
    this.world.shard.joinGroup(request, caller(3), ({ errorCode }) => answers.push(errorName(errorCode)));
    return answers;
  }

  commit(memberId: string, generation: number, partition = 0, version = 9): string[] {
    const answers: string[] = [];
    const committed = {
      partitionIndex: partition,
      committedOffset: 7,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    };
    const request = {
      groupId: 'g',
      memberId,
      generationIdOrMemberEpoch: generation,
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: 't', topicId: ZERO_UUID, partitions: [committed] }],
    };
    this.world.shard.offsetCommit(request, caller(version), ({ topics }) => {
      answers.push(errorName(topics[0]?.partitions[0]?.errorCode as number));
    });
    return answers;
  }

  fetch(memberId: string | null, memberEpoch: number): string {
    let told = '';
    const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }];
    this.world.shard.offsetFetch({ groupId: 'g', memberId, memberEpoch, topics }, false, caller(9), (body) => {
      const offset = body.topics[0]?.partitions[0]?.committedOffset;
      told = body.errorCode === ERROR.NONE ? String(offset) : errorName(body.errorCode);
    });
    return told;
  }

  delete(): string[] {
    const answers: string[] = [];
    this.world.shard.deleteGroup('g', (error) => answers.push(errorName(error)));
    return answers;
  }
}

describe('a write', () => {
  test('is answered when it is in the log, and whoever asks meanwhile waits', () => {
    const scene = new Scene();
    const a = scene.join('a');
    const b = scene.join('b');
    expect([a, b]).toEqual([[], []]);
    expect(scene.world.journal.openCount).toBe(1);
    scene.world.journal.commit(1);
    expect([a, b]).toEqual([['epoch 2: 0 1 2 3'], []]);
    scene.world.journal.commit(1);
    expect(b).toEqual(['epoch 3: ']);
  });

  test('that is lost has not happened, and those that waited go on without it', () => {
    const scene = new Scene();
    const a = scene.join('a');
    const b = scene.join('b');
    scene.world.journal.lose(ERROR.NOT_ENOUGH_REPLICAS);
    expect(a).toEqual(['COORDINATOR_NOT_AVAILABLE']);
    expect(scene.now(b)).toBe('epoch 2: 0 1 2 3');
    expect(scene.members).toEqual(['b 2']);
  });

  test('of the first member that is lost or refused leaves no group', () => {
    const scene = new Scene();
    const a = scene.join('a');
    scene.world.journal.lose(ERROR.KAFKA_STORAGE_ERROR);
    scene.world.journal.refusal = ERROR.RECORD_LIST_TOO_LARGE;
    const b = scene.join('b');
    expect([a, b]).toEqual([['NOT_COORDINATOR'], ['UNKNOWN_SERVER_ERROR']]);
    expect(scene.list()).toEqual([]);
  });

  test('that is under way when the shard goes: everybody is answered', () => {
    const scene = new Scene();
    const answers = [scene.join('a'), scene.join('b'), scene.join('c')];
    scene.world.unload();
    expect(answers).toEqual([['NOT_COORDINATOR'], ['NOT_COORDINATOR'], ['NOT_COORDINATOR']]);
  });

  test('that is under way when the shard goes: who waits behind it is not told what may be past', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.world.pass(SESSION_MS + 100);
    const a = scene.beat('a', 2);
    scene.world.reload(1);
    expect(a).toEqual(['NOT_COORDINATOR']);
    expect(scene.state).toBe('Empty');
  });

  test('is none where nothing is new', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.beat('a', 2, { owns: [0, 1, 2, 3] }));
    expect(scene.beat('a', 2)).toEqual(['epoch 2']);
    expect(scene.world.journal.openCount).toBe(0);
  });
});

describe('time', () => {
  test('a silent member is out, and what it owned goes to the others', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.join('b'));
    scene.world.pass(SESSION_MS - 100);
    expect(scene.now(scene.beat('b', 3))).toBe('epoch 3');
    scene.world.pass(200);
    scene.world.journal.commit();
    expect(scene.members).toEqual(['b 3']);
    expect(scene.now(scene.beat('b', 3))).toBe('epoch 4: 0 1 2 3');
    scene.world.pass(SESSION_MS + 100);
    scene.world.journal.commit();
    expect(scene.state).toBe('Empty');
  });

  test('a session that ends while its member is heard of goes on', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.join('b'));
    // What `c` writes is under way when the session of `a` is over; its heartbeat stands before that.
    scene.world.pass(SESSION_MS - 100);
    scene.join('c');
    const a = scene.beat('a', 2);
    scene.world.pass(200);
    while (scene.world.journal.openCount > 0) scene.world.journal.commit();
    expect(a).toHaveLength(1);
    expect(scene.members.map((member) => member.split(' ')[0])).toEqual(['a', 'c']);
  });

  test('a member that is not out because the log did not take it is out later', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.world.pass(SESSION_MS + 100);
    scene.world.journal.lose(ERROR.NOT_ENOUGH_REPLICAS);
    expect(scene.state).not.toBe('Empty');
    scene.world.pass(1000);
    scene.world.journal.commit();
    expect(scene.state).toBe('Empty');
  });

  test('whoever holds on to what it is to give up is out, in its own rebalance timeout', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { rebalanceTimeoutMs: 20_000 }));
    scene.now(scene.join('b'));
    expect(scene.now(scene.beat('a', 2, { owns: [0, 1, 2, 3] }))).toBe('epoch 2: 0 1');
    scene.world.pass(19_000);
    expect(scene.beat('a', 2)).toEqual(['epoch 2']);
    scene.world.pass(2000);
    scene.world.journal.commit();
    expect(scene.members).toEqual(['b 3']);
    expect(scene.now(scene.beat('b', 3))).toBe('epoch 4: 0 1 2 3');
  });

  test('whoever gives up in time stays', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { rebalanceTimeoutMs: 20_000 }));
    scene.now(scene.join('b'));
    scene.now(scene.beat('a', 2, { owns: [0, 1, 2, 3] }));
    expect(scene.now(scene.beat('a', 2, { owns: [0, 1] }))).toBe('epoch 3');
    scene.world.pass(21_000);
    expect(scene.world.journal.openCount).toBe(0);
    expect(scene.now(scene.beat('b', 3))).toBe('epoch 3: 2 3');
    expect(scene.state).toBe('Stable');
  });

  test('a static member may be away for its session, and then its place is free', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { instanceId: 'i' }));
    expect(scene.now(scene.beat('a', -2, { instanceId: 'i' }))).toBe('epoch -2');
    scene.world.pass(20_000);
    expect(scene.now(scene.join('b', { instanceId: 'i' }))).toBe('epoch 2: 0 1 2 3');
    expect(scene.now(scene.beat('b', -2, { instanceId: 'i' }))).toBe('epoch -2');
    scene.world.pass(SESSION_MS + 100);
    scene.world.journal.commit();
    expect(scene.state).toBe('Empty');
  });
});

test('a group has the times that are set for it alone, from the next heartbeat on', () => {
  const scene = new Scene();
  scene.now(scene.join('a'));
  scene.world.overrides.set('g', new Map([['consumer.session.timeout.ms', '20000']]));
  scene.now(scene.beat('a', 2));
  scene.now(scene.join('b', {}, 'h'));
  scene.world.pass(20_100);
  scene.world.journal.commit();
  expect(scene.list()).toEqual(['g consumer Empty consumer', 'h consumer Stable consumer']);
});

describe('another owner', () => {
  test('knows what was answered, gives everybody their time again, and forgets what was lost', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { rebalanceTimeoutMs: 20_000 }));
    scene.now(scene.join('b'));
    scene.now(scene.beat('a', 2, { owns: [0, 1, 2, 3] }));
    const before = scene.describe();
    scene.join('c');
    scene.world.pass(19_000);
    scene.world.reload();
    expect(scene.describe()).toEqual(before);
    scene.world.pass(19_000);
    expect(scene.members).toEqual(['a 2', 'b 3']);
    scene.world.pass(2000);
    scene.world.journal.commit();
    expect(scene.members).toEqual(['b 3']);
    scene.world.pass(SESSION_MS);
    scene.world.journal.commit();
    expect(scene.state).toBe('Empty');
    scene.world.reload();
    expect(scene.list()).toEqual(['g consumer Empty consumer']);
  });

  test('resolves patterns by the topics that it sees, whatever numbers the former one counted them by', () => {
    const scene = new Scene();
    const { topics, random } = scene.world;
    for (let at = 0; at < 20; at++) topics.put(`x${at}`, 1, random);
    scene.now(scene.join('a', { subscribedTopicNames: null, subscribedTopicRegex: 't|v' }));
    scene.world.unload();
    topics.version = 1;
    topics.put('v', 1, random);
    scene.world.load();
    expect(scene.now(scene.beat('a', 2))).toBe('epoch 3: 0 1 2 3, v/0');
  });
});

describe('topics', () => {
  test('that grow, come and go are shared anew', () => {
    const scene = new Scene();
    const { topics, random } = scene.world;
    scene.now(scene.join('a', { subscribedTopicNames: null, subscribedTopicRegex: '[tv]' }));
    topics.grow('t', 6);
    expect(scene.now(scene.beat('a', 2))).toBe('epoch 3: 0 1 2 3 4 5');
    topics.put('v', 1, random);
    expect(scene.now(scene.beat('a', 3))).toBe('epoch 4: 0 1 2 3 4 5, v/0');
    topics.put('w', 1, random);
    expect(scene.now(scene.beat('a', 4))).toBe('epoch 4');
    topics.drop('v');
    expect(scene.now(scene.beat('a', 4, { owns: [0, 1, 2, 3, 4, 5] }))).toBe('epoch 5: 0 1 2 3 4 5');
  });
});

describe('members', () => {
  test('are of a group that is there, up to its size', () => {
    const scene = new Scene();
    expect(scene.beat('a', 3)).toEqual(['GROUP_ID_NOT_FOUND']);
    expect(scene.beat('a', -1)).toEqual(['GROUP_ID_NOT_FOUND']);
    expect(scene.join('a', { subscribedTopicNames: null })).toEqual(['INVALID_REQUEST']);
    expect(scene.join('a', { subscribedTopicRegex: '(' })).toEqual(['INVALID_REGULAR_EXPRESSION']);
    expect(scene.list()).toEqual([]);
    scene.world.settings.groupConsumerMaxSize = 1;
    scene.now(scene.join('a'));
    expect(scene.join('b')).toEqual(['GROUP_MAX_SIZE_REACHED']);
  });

  test('share as the first assignor of the list does, unless most name another', () => {
    const scene = new Scene();
    scene.world.settings.groupConsumerAssignors = ['range'];
    scene.now(scene.join('a'));
    expect(scene.describe().assignorName).toBe('range');
    expect(scene.join('b', { serverAssignor: 'uniform' })).toEqual(['UNSUPPORTED_ASSIGNOR']);
    scene.world.settings.groupConsumerAssignors = ['range', 'uniform'];
    scene.now(scene.join('b', { serverAssignor: 'uniform' }));
    expect(scene.describe().assignorName).toBe('uniform');
  });

  test('are described with what they own and are to own', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { instanceId: 'i', rackId: 'r' }));
    scene.now(scene.join('b'));
    const of = (partitions: readonly number[]) => ({
      topicPartitions:
        partitions.length === 0 ? [] : [{ topicId: scene.world.topics.idOf('t'), topicName: 't', partitions }],
    });
    const both = {
      clientId: 'client',
      clientHost: '/127.0.0.1',
      subscribedTopicNames: ['t'],
      subscribedTopicRegex: '',
      memberType: 1,
    };
    expect(scene.describe()).toMatchObject({
      groupState: 'Reconciling',
      groupEpoch: 3,
      assignmentEpoch: 3,
      assignorName: 'uniform',
      members: [
        { ...both, memberId: 'a', instanceId: 'i', rackId: 'r', memberEpoch: 2, assignment: of([0, 1, 2, 3]) },
        { ...both, memberId: 'b', instanceId: null, rackId: null, memberEpoch: 3, assignment: of([]) },
      ],
    });
    expect(scene.describe().members.map(({ targetAssignment }) => targetAssignment)).toEqual([of([0, 1]), of([2, 3])]);
    expect(scene.describe('nobody')).toMatchObject({ errorCode: ERROR.GROUP_ID_NOT_FOUND, groupState: '' });
  });
});

describe('offsets', () => {
  test('are committed by members in their epoch', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    expect(scene.now(scene.commit('a', 2))).toBe('NONE');
    expect(scene.commit('a', 3)).toEqual(['STALE_MEMBER_EPOCH']);
    expect(scene.commit('b', 2)).toEqual(['UNKNOWN_MEMBER_ID']);
    expect(scene.commit('', -1)).toEqual(['UNKNOWN_MEMBER_ID']);
    expect(scene.commit('a', 2, 0, 8)).toEqual(['UNSUPPORTED_VERSION']);
  });

  test('of a partition that was its own all the while may come from an older epoch', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.join('b'));
    scene.now(scene.beat('a', 2, { owns: [0, 1, 2, 3] }));
    expect(scene.now(scene.beat('a', 2, { owns: [0, 1] }))).toBe('epoch 3');
    expect(scene.now(scene.commit('a', 2, 0))).toBe('NONE');
    expect(scene.commit('a', 2, 3)).toEqual(['STALE_MEMBER_EPOCH']);
    expect(scene.commit('a', 1, 0)).toEqual(['STALE_MEMBER_EPOCH']);
    // What it is to give up is still its own.
    scene.now(scene.join('c'));
    scene.now(scene.join('d'));
    expect(scene.now(scene.beat('a', 3, { owns: [0, 1] }))).toMatch(/^epoch 3: [01]$/);
    expect(scene.now(scene.commit('a', 2, 0))).toBe('NONE');
    expect(scene.now(scene.commit('a', 2, 1))).toBe('NONE');
  });

  test('are told to members in their epoch, and to whoever is no member', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.commit('a', 2));
    expect(scene.fetch('a', 2)).toBe('7');
    expect(scene.fetch(null, -1)).toBe('7');
    expect(scene.fetch('a', 1)).toBe('STALE_MEMBER_EPOCH');
    expect(scene.fetch('b', 2)).toBe('UNKNOWN_MEMBER_ID');
  });

  test('of an empty group may be committed from outside and are kept as long as any', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.beat('a', -1));
    expect(scene.now(scene.commit('', -1))).toBe('NONE');
    scene.world.pass(HOUR_MS);
    scene.world.shard.expire(scene.world.clock.now());
    expect(scene.world.journal.openCount).toBe(0);
    scene.world.pass(scene.world.settings.offsetsRetentionMinutes * 60_000);
    scene.world.shard.expire(scene.world.clock.now());
    scene.world.journal.commit();
    expect(scene.list()).toEqual([]);
    scene.world.reload();
    expect(scene.list()).toEqual([]);
  });

  test('of topics that are consumed stay', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { subscribedTopicNames: null, subscribedTopicRegex: 't' }));
    scene.now(scene.commit('a', 2));
    const errors: string[] = [];
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }];
    const forget = () =>
      scene.world.shard.offsetDelete({ groupId: 'g', topics }, caller(0), (body) => {
        errors.push(errorName(body.topics[0]?.partitions[0]?.errorCode as number));
      });
    forget();
    scene.now(scene.beat('a', -1));
    forget();
    scene.world.journal.commit();
    expect(errors).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE']);
    expect(scene.fetch(null, -1)).toBe('-1');
  });
});

describe('groups of both kinds', () => {
  test('are listed, and deleted when nobody is in them', () => {
    const scene = new Scene();
    const a = scene.join('a');
    expect(scene.delete()).toEqual(['NON_EMPTY_GROUP']);
    scene.now(a);
    expect(scene.list()).toEqual(['g consumer Stable consumer']);
    expect(scene.delete()).toEqual(['NON_EMPTY_GROUP']);
    scene.now(scene.beat('a', -1));
    const deleted = scene.delete();
    expect(scene.join('b')).toEqual(['COORDINATOR_NOT_AVAILABLE']);
    expect(scene.now(deleted)).toBe('NONE');
    expect(scene.list()).toEqual([]);
    scene.world.reload();
    expect(scene.list()).toEqual([]);
  });

  test('a removal that is lost leaves the group as it was', () => {
    const scene = new Scene();
    scene.now(scene.join('a'));
    scene.now(scene.beat('a', -1));
    const deleted = scene.delete();
    scene.world.journal.lose(ERROR.NOT_ENOUGH_REPLICAS);
    expect(deleted).toEqual(['COORDINATOR_NOT_AVAILABLE']);
    expect(scene.now(scene.join('b'))).toBe('epoch 4: 0 1 2 3');
  });

  test('an empty classic group gives its place and keeps its offsets', () => {
    const scene = new Scene();
    scene.now(scene.commit('', -1));
    const a = scene.join('a');
    scene.world.journal.lose(ERROR.NOT_ENOUGH_REPLICAS);
    expect(a).toEqual(['COORDINATOR_NOT_AVAILABLE']);
    expect(scene.list()).toEqual(['g classic Empty ']);
    expect(scene.now(scene.join('a'))).toBe('epoch 2: 0 1 2 3');
    scene.world.reload();
    expect(scene.list()).toEqual(['g consumer Stable consumer']);
    expect(scene.fetch(null, -1)).toBe('7');
  });

  test('a classic group that has had members is written off first', () => {
    const scene = new Scene();
    scene.joinClassic();
    scene.world.pass(10);
    scene.world.pass(HOUR_MS);
    scene.world.journal.commit();
    expect(scene.list()).toEqual(['g classic Empty consumer']);
    scene.now(scene.join('a'));
    expect(scene.world.journal.log).toContainEqual({ kind: 'group-metadata', group: 'g', value: null });
    scene.world.reload();
    expect(scene.list()).toEqual(['g consumer Stable consumer']);
  });

  test('a group that has members keeps its kind', () => {
    const scene = new Scene();
    scene.joinClassic();
    scene.world.pass(10);
    expect(scene.join('a')).toEqual(['GROUP_ID_NOT_FOUND']);
    scene.now(scene.join('a', {}, 'h'));
    expect(scene.joinClassic('', 'h')).toEqual(['INCONSISTENT_GROUP_PROTOCOL']);
    expect(scene.list()).toEqual(['g classic CompletingRebalance consumer', 'h consumer Stable consumer']);
  });

  test('an empty group of the consumer protocol becomes a classic one, here and for whoever loads it', () => {
    const scene = new Scene();
    scene.now(scene.join('a', { subscribedTopicNames: null, subscribedTopicRegex: 't' }));
    scene.now(scene.beat('a', -1));
    expect(scene.joinClassic('somebody')).toEqual(['UNKNOWN_MEMBER_ID']);
    const joined = scene.joinClassic();
    scene.world.pass(10);
    scene.world.journal.commit();
    expect(joined).toEqual(['NONE']);
    expect(scene.list()).toEqual(['g classic CompletingRebalance consumer']);
    scene.world.reload();
    expect(scene.list()).toEqual([]);
  });
});
