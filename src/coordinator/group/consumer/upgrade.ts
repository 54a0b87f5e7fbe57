/**
 * A classic group whose members are online becomes one of the consumer protocol: what its members agreed on last is their target
 * and what they own, its generation is their epoch. A cooperative member that has joined and does not know its plan yet reads on
 * what it said it owns: that is its own, too, unless the plan has given it to somebody. One that was in a group of the consumer
 * protocol before and has not joined since owns what it owned there.
 */
import type { Uuid } from '../../../base/uuid.ts';
import { ERROR } from '../../../wire/errors.ts';
import type { ClassicGroup } from '../classic-group.ts';
import type { ClassicMember } from '../classic-member.ts';
import { CONSUMER_PROTOCOL_TYPE, readAssignment, readSubscription } from '../consumer-protocol.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { epochRecord } from './leaving.ts';
import { assignmentRecord, type ConsumerMember, metadataRecord, newMember } from './member.ts';
import { identified } from './named-partitions.ts';
import { Subscriptions } from './subscriptions.ts';
import { targetEpochRecord, targetRecord } from './targets.ts';
import { type ConsumerWorld, type Refusal, refused } from './world.ts';

export function upgraded(group: ClassicGroup, world: ConsumerWorld): readonly ConsumerGroupRecord[] | Refusal {
  const { id, roster, generation } = group;
  const no = (why: string) => refused(ERROR.GROUP_ID_NOT_FOUND, `the classic group ${id} is not taken over: ${why}`);
  if (!world.settings.upgrades) return no('group.consumer.migration.policy does not allow it');
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return no(`its members are of the type ${group.protocolType}`);
  if (roster.size > world.settings.membersMax) return no(`it has more than ${world.settings.membersMax} members`);
  const members: ConsumerMember[] = [];
  const taken = new Set<string>();
  const planned = new Set<string>();
  for (const { assignment } of roster.members())
    eachPlace(placesIn(assignment, world), world, (place) => planned.add(place));
  for (const classic of roster.members()) {
    const member = upgradedMember(group, classic, world, taken, planned);
    if (typeof member === 'string') return no(member);
    members.push(member);
  }
  return [
    ...members.map((member) => metadataRecord(id, member)),
    epochRecord(id, generation, hashOf(group, members, taken.size, world)),
    ...members.map(({ memberId, assigned }) =>
      targetRecord(id, memberId, new Map(Array.from(assigned, ([topicId, epochs]) => [topicId, [...epochs.keys()]]))),
    ),
    targetEpochRecord(id, generation, 0),
    ...members.map((member) => assignmentRecord(id, member)),
  ];
}

/** That of no topics, so that the assignor is asked, unless a plan is carried out in which no partition is missing. */
function hashOf(group: ClassicGroup, members: readonly ConsumerMember[], taken: number, world: ConsumerWorld): bigint {
  const { topics, now } = world;
  const subscriptions = new Subscriptions(new ConsumerGroup(group.id), members, topics, now);
  const subscribed = new Set(members.flatMap((member) => [...subscriptions.topicIdsOf(member)]));
  const partitions = [...subscribed].reduce((sum, topicId) => sum + topics.partitionsOf(topicId), 0);
  return group.state === 'Stable' && partitions === taken ? subscriptions.hashOf(subscribed) : 0n;
}

type Places = Iterable<readonly [Uuid, readonly number[]]>;

function placesIn(assignment: Uint8Array, { topics }: ConsumerWorld): Places {
  return identified(assignment.length === 0 ? [] : (readAssignment(assignment)?.assignedPartitions ?? []), topics);
}

/** A partition's key, its topic and its number; of those that there are. */
function eachPlace(
  places: Places,
  { topics }: ConsumerWorld,
  use: (place: string, topicId: Uuid, partition: number) => void,
): void {
  for (const [topicId, numbers] of places)
    for (const partition of numbers)
      if (partition < topics.partitionsOf(topicId)) use(`${topicId}${partition}`, topicId, partition);
}

/** Or why that cannot be. `taken` are partitions of other members: a plan is the work of a client, and may name one twice. */
function upgradedMember(
  group: ClassicGroup,
  member: ClassicMember,
  world: ConsumerWorld,
  taken: Set<string>,
  planned: ReadonlySet<string>,
): ConsumerMember | string {
  const { generation, protocol } = group;
  const { id: memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = member;
  // One that waits for its first generation may not be able to do what the one before agreed on.
  const offered = protocols.find(({ name }) => name === protocol) ?? protocols[0];
  const subscription = offered === undefined ? null : readSubscription(offered.metadata);
  if (subscription === null) return `${memberId} joined with bytes that are no subscription`;
  const assignment = member.assignment.length === 0 ? null : readAssignment(member.assignment);
  if (assignment === null && member.assignment.length > 0) return `what ${memberId} was assigned cannot be read`;
  if ((assignment?.userData?.length ?? 0) > 0) return 'its assignor hands out data of its own, which would be lost';
  const assigned = new Map<Uuid, Map<number, number>>();
  const take = (place: string, topicId: Uuid, partition: number): void => {
    if (taken.has(place)) return;
    taken.add(place);
    assigned.set(topicId, (assigned.get(topicId) ?? new Map()).set(partition, generation));
  };
  eachPlace(placesIn(member.assignment, world), world, take);
  // What it said when it joined is older than what it reads on since the group was of the other kind.
  if (!member.readsOn && (group.state !== 'Stable' || group.roster.pendingSyncs.has(memberId)))
    eachPlace(identified(subscription.ownedPartitions, world.topics), world, (place, topicId, partition) => {
      if (!planned.has(place)) take(place, topicId, partition);
    });
  return {
    ...newMember(memberId),
    instanceId,
    rackId: subscription.rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    classicMemberMetadata: { sessionTimeoutMs, supportedProtocols: protocols },
    memberEpoch: generation,
    previousMemberEpoch: generation,
    assigned,
  };
}
