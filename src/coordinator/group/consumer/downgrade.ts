/**
 * A group of the consumer protocol whose members all speak the classic one becomes a classic group: its epoch is the generation,
 * and what its members are to own is the plan of it. What they own until they join again is remembered, in case that the group is
 * taken over once more before that.
 */
import type { Uuid } from '../../../base/uuid.ts';
import type { ClassicGroup } from '../classic-group.ts';
import { writeAssignment } from '../consumer-protocol.ts';
import type { GroupRecord } from '../records.ts';
import type { Topics } from '../topics.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './member.ts';
import { named } from './named-partitions.ts';
import type { ConsumerSettings } from './world.ts';

/** Whether the group is to be a classic one when these are its members. */
export function isDowngraded(
  members: readonly ConsumerMember[],
  { downgrades, classicMembersMax }: ConsumerSettings,
): boolean {
  if (!downgrades || members.length === 0 || members.length > classicMembersMax) return false;
  return members.every(({ classicMemberMetadata }) => classicMemberMetadata !== null);
}

/**
 * Fills `classic`, which nobody has seen yet, and gives its record. `targetOf` says whose target a member has: a static member
 * may have taken the place of another one.
 */
export function downgraded(
  { epoch, targetOf }: { readonly epoch: number; targetOf(memberId: string): ReturnType<ConsumerGroup['targetOf']> },
  members: readonly ConsumerMember[],
  classic: ClassicGroup,
  topics: Topics,
  now: number,
): GroupRecord {
  const joined = members.flatMap((member) => {
    const { memberId: id, instanceId, clientId, clientHost, rebalanceTimeoutMs, classicMemberMetadata } = member;
    if (classicMemberMetadata === null) return [];
    const { sessionTimeoutMs, supportedProtocols: protocols } = classicMemberMetadata;
    const identity = { id, instanceId, clientId, clientHost };
    const classicMember = classic.newMember(identity, { rebalanceTimeoutMs, sessionTimeoutMs, protocols });
    classicMember.held = owned(member);
    return [classicMember];
  });
  classic.adopt(epoch, joined, now);
  for (const member of joined) {
    member.assignment = writeAssignment(named(targetOf(member.id), topics), member.metadataOf(classic.protocol));
  }
  return classic.asRecord(({ assignment }) => assignment);
}

function owned({ assigned, pendingRevocation }: ConsumerMember): Map<Uuid, number[]> {
  const places = new Map<Uuid, number[]>();
  for (const [topicId, partitions] of [...assigned, ...pendingRevocation])
    places.set(topicId, [...(places.get(topicId) ?? []), ...partitions.keys()]);
  return places;
}
