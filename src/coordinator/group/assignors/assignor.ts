/**
 * What a server-side assignor is told of a group and what it answers. An assignor is a pure function: of every topic that
 * somebody subscribes to, each partition gets exactly one owner, and the owner subscribes to the topic.
 */
import type { Uuid } from '../../../base/uuid.ts';

/** Partitions by topic, ascending; topics of which nothing is owned are left out. */
export type MemberAssignment = ReadonlyMap<Uuid, readonly number[]>;

export interface AssignedMember {
  readonly memberId: string;
  /** Of a static member. */
  readonly instanceId: string | null;
  readonly topicIds: ReadonlySet<Uuid>;
  /** What it was assigned before. */
  readonly assigned: MemberAssignment;
}

export interface AssignedGroup {
  readonly members: readonly AssignedMember[];
  /** 0 for a topic that does not exist: it is nobody's. */
  partitionsOf(topicId: Uuid): number;
}

/** By member id; every member is there. */
export type GroupAssignment = ReadonlyMap<string, MemberAssignment>;

export interface Assignor {
  readonly name: string;
  assign(group: AssignedGroup): GroupAssignment;
}

/** Static members first, by instance; they stand where they stood when they come back under another member id. */
export function inOrder(members: readonly AssignedMember[]): AssignedMember[] {
  return members.toSorted((left, right) => {
    if (left.instanceId !== null && right.instanceId !== null) return compare(left.instanceId, right.instanceId);
    if (left.instanceId !== null) return -1;
    if (right.instanceId !== null) return 1;
    return compare(left.memberId, right.memberId);
  });
}

export function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Of each existing topic its subscribers, in the order of the members. */
export function subscribersByTopic(
  group: AssignedGroup,
  members: readonly AssignedMember[],
): Map<Uuid, AssignedMember[]> {
  const subscribers = new Map<Uuid, AssignedMember[]>();
  for (const member of members) {
    for (const topicId of member.topicIds) {
      const others = subscribers.get(topicId);
      if (others !== undefined) others.push(member);
      else if (group.partitionsOf(topicId) > 0) subscribers.set(topicId, [member]);
    }
  }
  return subscribers;
}

export function isSubscribedAlike(members: readonly AssignedMember[]): boolean {
  const first = members[0];
  if (first === undefined) return true;
  return members.every(({ topicIds }) => topicIds === first.topicIds || isSame(topicIds, first.topicIds));
}

function isSame(left: ReadonlySet<Uuid>, right: ReadonlySet<Uuid>): boolean {
  return left.size === right.size && [...left].every((topicId) => right.has(topicId));
}
