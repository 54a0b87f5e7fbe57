/**
 * Heartbeats of the consumer protocol, one by one: who gets what in which epoch, and what is refused. What a broker of Kafka 4.3
 * answered to the same heartbeats, with `group.consumer.assignment.interval.ms=0`, is in golden/heartbeats.jsonl.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '../../src/base/uuid.ts';
import { RANGE } from '../../src/coordinator/group/assignors/range.ts';
import { UNIFORM } from '../../src/coordinator/group/assignors/uniform.ts';
import { ConsumerGroup } from '../../src/coordinator/group/consumer/consumer-group.ts';
import { newMember } from '../../src/coordinator/group/consumer/member.ts';
import { preferred } from '../../src/coordinator/group/consumer/targets.ts';
import type { HeartbeatRequest } from '../../src/coordinator/group/consumer/world.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { NOTHING_SAID, World } from './consumer-world.ts';

type Said = Partial<Omit<HeartbeatRequest, 'topicPartitions'>> & { readonly owns?: readonly number[] | null };

/** Of one topic, `orders`, of which partitions are owned by number. */
class Orders {
  readonly world = new World();

  constructor(partitions = 4) {
    this.world.topics.set('orders', partitions);
  }

  get id(): Uuid {
    return this.world.topics.idOf('orders') as Uuid;
  }

  /** `epoch 3: 0 1`, without the partitions when they are not told, or the error. */
  beat(memberId: string, memberEpoch: number, { owns = null, ...said }: Said = {}, version = 1): string {
    const topicPartitions =
      owns === null ? null : owns.length === 0 ? [] : [{ topicId: this.id, partitions: [...owns] }];
    const answer = this.world.heartbeat({ ...NOTHING_SAID, memberId, memberEpoch, topicPartitions, ...said }, version);
    if (answer === null) return 'not written';
    if (!('memberEpoch' in answer)) return nameOf(answer.errorCode);
    const told = answer.assignment?.topicPartitions;
    const numbers = (told ?? []).flatMap(({ partitions }) => [...partitions]).toSorted((a, b) => a - b);
    return `epoch ${answer.memberEpoch}${told === undefined ? '' : `: ${numbers.join(' ')}`}`;
  }

  join(memberId: string, said: Said = {}, version = 1): string {
    const all = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], owns: [], ...said };
    return this.beat(memberId, 0, all, version);
  }

  get state(): string {
    return this.world.group.state;
  }
}

function nameOf(code: number): string {
  return Object.entries(ERROR).find(([, value]) => value === code)?.[0] ?? String(code);
}

interface Answered {
  readonly scenario: string;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly version: number;
  readonly said: Said;
  readonly answer: string;
}

const answered = readFileSync(new URL('golden/heartbeats.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Answered);

describe('Kafka answers the same', () => {
  test.each([...new Set(answered.map(({ scenario }) => scenario))])('%s', (name) => {
    const orders = new Orders();
    orders.world.topics.set('visits', 1);
    orders.world.membersMax = 3;
    const beats = answered.filter(({ scenario }) => scenario === name);
    const ours = beats.map(({ memberId, memberEpoch, said, version }) =>
      orders.beat(memberId, memberEpoch, said, version),
    );
    expect(ours).toEqual(beats.map(({ answer }) => answer));
  });
});

test('the first member gets everything at once', () => {
  const orders = new Orders();
  expect(orders.state).toBe('Empty');
  expect(orders.join('a')).toBe('epoch 2: 0 1 2 3');
  expect(orders.state).toBe('Stable');
});

test('a second member gets what the first one gives up, when it has given it up', () => {
  const orders = new Orders();
  orders.join('a');
  expect(orders.join('b')).toBe('epoch 3: ');
  expect(orders.state).toBe('Reconciling');
  expect(orders.beat('b', 3)).toBe('epoch 3');
  expect(orders.beat('a', 2)).toBe('epoch 2: 0 1');
  expect(orders.beat('a', 2), 'it has not said that it gave up').toBe('epoch 2');
  expect(orders.beat('b', 3)).toBe('epoch 3');
  expect(orders.beat('a', 2, { owns: [0, 1, 3] }), 'not all of it').toBe('epoch 2');
  expect(orders.beat('a', 2, { owns: [0, 1] })).toBe('epoch 3');
  expect(orders.beat('b', 3)).toBe('epoch 3: 2 3');
  expect(orders.state).toBe('Stable');
});

test('a heartbeat in which nothing is new writes nothing; one that says everything is told everything', () => {
  const orders = new Orders();
  orders.join('a');
  const written = orders.world.log.length;
  expect(orders.beat('a', 2)).toBe('epoch 2');
  const full = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], owns: [0, 1, 2, 3] };
  expect(orders.beat('a', 2, full)).toBe('epoch 2: 0 1 2 3');
  expect(orders.world.log.length).toBe(written);
});

test('what the log refuses has not happened', () => {
  const orders = new Orders();
  orders.world.logFails = true;
  expect(orders.join('a')).toBe('not written');
  expect(orders.state).toBe('Empty');
  expect(orders.join('a')).toBe('epoch 2: 0 1 2 3');
});

test('partitions that are added, and another wish, begin an epoch', () => {
  const orders = new Orders();
  orders.join('a');
  orders.world.topics.set('orders', 6);
  expect(orders.beat('a', 2)).toBe('epoch 3: 0 1 2 3 4 5');
  orders.world.topics.set('visits', 1);
  expect(orders.beat('a', 3), 'not its topic').toBe('epoch 3');
  expect(orders.beat('a', 3, { subscribedTopicNames: ['visits'] })).toBe('epoch 3: ');
  expect(orders.beat('a', 3, { owns: [] })).toBe('epoch 4: 0');
});

test('a pattern finds topics that come later', () => {
  const orders = new Orders();
  const pattern = { subscribedTopicNames: null, subscribedTopicRegex: 'ord.*' };
  expect(orders.join('a', pattern)).toBe('epoch 2: 0 1 2 3');
  orders.world.topics.set('visits', 2);
  expect(orders.beat('a', 2)).toBe('epoch 2');
  orders.world.topics.set('orders-eu', 2);
  expect(orders.beat('a', 2)).toBe('epoch 3: 0 0 1 1 2 3');
  expect(orders.join('b', { ...pattern, subscribedTopicRegex: 'ord(' })).toBe('INVALID_REGULAR_EXPRESSION');
  expect(orders.beat('a', 3, { subscribedTopicRegex: '' })).toBe('epoch 3: ');
  expect([...orders.world.group.patterns.keys()]).toEqual([]);
});

describe('epochs', () => {
  test('of a member are those of the group, and no other ones are taken', () => {
    const orders = new Orders();
    orders.join('a');
    expect(orders.beat('a', 3)).toBe('FENCED_MEMBER_EPOCH');
    expect(orders.beat('b', 2)).toBe('UNKNOWN_MEMBER_ID');
    orders.world.topics.set('orders', 5);
    orders.beat('a', 2);
    orders.world.topics.set('orders', 6);
    orders.beat('a', 3);
    expect(orders.beat('a', 2)).toBe('FENCED_MEMBER_EPOCH');
  });

  test('an answer that was lost is given again, to whoever owns no more than it was given', () => {
    const orders = new Orders();
    orders.join('a');
    orders.world.topics.set('orders', 5);
    expect(orders.beat('a', 2)).toBe('epoch 3: 0 1 2 3 4');
    expect(orders.beat('a', 2)).toBe('FENCED_MEMBER_EPOCH');
    expect(orders.beat('a', 2, { owns: [0, 1, 2, 3, 9] })).toBe('FENCED_MEMBER_EPOCH');
    const full = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], owns: [0, 1, 2, 3] };
    expect(orders.beat('a', 2, full)).toBe('epoch 3: 0 1 2 3 4');
  });

  test('whoever is fenced joins again and keeps what is its own', () => {
    const orders = new Orders();
    orders.join('a');
    expect(orders.join('a')).toBe('epoch 2: 0 1 2 3');
  });
});

describe('members go', () => {
  test('by their own word: what they owned is free', () => {
    const orders = new Orders();
    orders.join('a');
    orders.join('b');
    expect(orders.beat('a', -1)).toBe('epoch -1');
    expect(orders.state).toBe('Assigning');
    expect(orders.beat('b', 3)).toBe('epoch 4: 0 1 2 3');
    expect(orders.beat('b', -1)).toBe('epoch -1');
    expect(orders.state).toBe('Empty');
    expect(orders.beat('b', -1)).toBe('UNKNOWN_MEMBER_ID');
    expect(orders.world.group.epoch).toBe(5);
  });

  test('in silence', () => {
    const orders = new Orders();
    orders.join('a');
    orders.join('b');
    orders.world.expire('a');
    expect(orders.beat('b', 3)).toBe('epoch 4: 0 1 2 3');
    expect(orders.beat('a', 2)).toBe('UNKNOWN_MEMBER_ID');
  });
});

describe('static members', () => {
  const still = { instanceId: 'one' };

  test('come back under another id and get what was theirs, in the same epoch', () => {
    const orders = new Orders();
    orders.join('a', still);
    orders.join('b');
    orders.beat('a', 2, still);
    orders.beat('a', 2, { ...still, owns: [0, 1] });
    orders.beat('b', 3);
    expect(orders.beat('a', -2, still)).toBe('epoch -2');
    expect(orders.beat('b', 3), 'nothing moves meanwhile').toBe('epoch 3');
    expect(orders.join('c', still)).toBe('epoch 3: 0 1');
    expect(orders.beat('a', 3, still)).toBe('FENCED_INSTANCE_ID');
    expect(orders.beat('a', 3)).toBe('UNKNOWN_MEMBER_ID');
    expect(orders.state).toBe('Stable');
    expect([...orders.world.group.members.keys()].sort()).toEqual(['b', 'c']);
  });

  test('are one at a time', () => {
    const orders = new Orders();
    orders.join('a', still);
    expect(orders.join('b', still)).toBe('UNRELEASED_INSTANCE_ID');
    expect(orders.beat('b', -1, still)).toBe('FENCED_INSTANCE_ID');
    expect(orders.beat('a', 2, { instanceId: 'two' })).toBe('UNKNOWN_MEMBER_ID');
  });

  test('go for good with the epoch of those', () => {
    const orders = new Orders();
    orders.join('a', still);
    expect(orders.beat('a', -1, still)).toBe('epoch -1');
    expect(orders.join('b', still)).toBe('epoch 4: 0 1 2 3');
  });
});

test.each<[string, string, number, Said, string]>([
  ['no group id', 'a', 0, { groupId: '' }, 'INVALID_REQUEST'],
  ['no member id', '', 0, {}, 'INVALID_REQUEST'],
  ['no member id, later', '', 1, {}, 'INVALID_REQUEST'],
  ['an empty instance id', 'a', 0, { instanceId: '' }, 'INVALID_REQUEST'],
  ['an empty rack id', 'a', 0, { rackId: '' }, 'INVALID_REQUEST'],
  ['an epoch that is none', 'a', -3, {}, 'INVALID_REQUEST'],
  ['no instance that could leave for a while', 'a', -2, {}, 'INVALID_REQUEST'],
  ['no rebalance timeout', 'a', 0, { rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST'],
  ['no subscription', 'a', 0, { subscribedTopicNames: null }, 'INVALID_REQUEST'],
  ['no word on what is owned', 'a', 0, { owns: null }, 'INVALID_REQUEST'],
  ['partitions before there is an assignment', 'a', 0, { owns: [1] }, 'INVALID_REQUEST'],
  ['an unknown assignor', 'a', 0, { serverAssignor: 'fair' }, 'UNSUPPORTED_ASSIGNOR'],
])('refused: %s', (_, memberId, memberEpoch, said, error) => {
  const orders = new Orders();
  const joining = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], owns: [] };
  expect(orders.beat(memberId, memberEpoch, { ...joining, ...said })).toBe(error);
  expect(orders.world.log).toEqual([]);
});

test('in version 0 the group names a member that does not name itself', () => {
  const orders = new Orders();
  expect(orders.join('', {}, 0)).toBe('epoch 2: 0 1 2 3');
  expect([...orders.world.group.members.keys()]).toEqual(['made-1']);
});

test('a group that is full takes nobody new', () => {
  const orders = new Orders();
  orders.world.membersMax = 2;
  orders.join('a');
  orders.join('b');
  expect(orders.join('c')).toBe('GROUP_MAX_SIZE_REACHED');
  expect(orders.join('b')).toMatch(/^epoch 3/);
});

test('the assignor is the one that most members name', () => {
  const named = (serverAssignor: string | null) => ({ ...newMember('m'), serverAssignor });
  const assignors = [UNIFORM, RANGE];
  expect(preferred([named(null), named(null)], assignors)).toBe(UNIFORM);
  expect(preferred([named('range'), named(null)], assignors)).toBe(RANGE);
  expect(preferred([named('range'), named('uniform')], assignors)).toBe(UNIFORM);
});

test('a partition that has another owner by now is not taken from it by news of the former one', () => {
  const group = new ConsumerGroup('g');
  const id = '\x01'.repeat(16);
  const owns = (memberId: string, partitions: number[]) =>
    group.apply({
      kind: 'consumer-group-current-member-assignment',
      group: 'g',
      memberId,
      value: {
        memberEpoch: 1,
        previousMemberEpoch: 0,
        state: 0,
        assignedPartitions: [{ topicId: id, partitions, assignmentEpochs: null }],
        partitionsPendingRevocation: [],
      },
    });
  owns('a', [0, 1]);
  owns('b', [1]);
  owns('a', [0]);
  expect([group.ownerOf(id, 0), group.ownerOf(id, 1)]).toEqual(['a', 'b']);
});
