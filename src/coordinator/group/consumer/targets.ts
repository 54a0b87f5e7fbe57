/** The target of an epoch: the assignor's answer for the members as they are to be, and the records of what is new in it. */
import type { Uuid } from '../../../base/uuid.ts';
import type { GroupAssignment, MemberAssignment } from '../assignors/assignor.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './member.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { ConsumerWorld } from './world.ts';

export interface NewTarget {
  readonly assignment: GroupAssignment;
  readonly records: readonly ConsumerGroupRecord[];
}

/** `targets` are those of the epoch before, by member. */
export function newTarget(
  group: ConsumerGroup,
  epoch: number,
  members: readonly ConsumerMember[],
  targets: ReadonlyMap<string, MemberAssignment>,
  subscriptions: Subscriptions,
  world: ConsumerWorld,
): NewTarget {
  const assignment = preferred(members, world.assignors).assign({
    members: members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topicIds: subscriptions.topicIdsOf(member),
      assigned: targets.get(member.memberId) ?? new Map<Uuid, readonly number[]>(),
    })),
    partitionsOf: (topicId) => world.topics.partitionsOf(topicId),
  });
  const records: ConsumerGroupRecord[] = [];
  for (const [memberId, partitions] of assignment) {
    const before = targets.get(memberId);
    if (before === undefined || !isSame(before, partitions)) records.push(targetRecord(group.id, memberId, partitions));
  }
  records.push(targetEpochRecord(group.id, epoch, world.now));
  return { assignment, records };
}

export function targetRecord(group: string, memberId: string, partitions: MemberAssignment): ConsumerGroupRecord {
  const topicPartitions = Array.from(partitions, ([topicId, numbers]) => ({ topicId, partitions: numbers }));
  return { kind: 'consumer-group-target-assignment-member', group, memberId, value: { topicPartitions } };
}

/** `madeAt` is 0 for a target that no assignor made. */
export function targetEpochRecord(group: string, assignmentEpoch: number, madeAt: number): ConsumerGroupRecord {
  const value = { assignmentEpoch, assignmentTimestamp: madeAt };
  return { kind: 'consumer-group-target-assignment-metadata', group, value };
}

/** The one that most members name; of equals the one that is listed first. */
export function preferred<Named extends { readonly name: string }>(
  members: readonly ConsumerMember[],
  assignors: readonly Named[],
): Named {
  const votes = (assignor: Named) => members.filter(({ serverAssignor }) => serverAssignor === assignor.name).length;
  return assignors.reduce((best, assignor) => (votes(assignor) > votes(best) ? assignor : best));
}

function isSame(left: MemberAssignment, right: MemberAssignment): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId);
    if (others?.length !== partitions.length) return false;
    if (partitions.some((partition, at) => partition !== others[at])) return false;
  }
  return true;
}
