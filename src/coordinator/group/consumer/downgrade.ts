/**
 * A group of the consumer protocol whose members all speak the classic one becomes a classic group, and its epoch the generation.
 * At rest it has a plan: what its members are to own, and do. Else they come together for one, and until a member joins it has
 * what it still reads: whoever takes the group over before, or loads it from the log, gives that to nobody else. Apache Kafka
 * notes there what each is to own, so that after a load the group stays as it is and two may read one partition.
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

/** The epoch of the group, and what each member is to have, and has; null when the group has to rebalance. */
export interface Downgrade {
  readonly epoch: number;
  readonly planOf: ((memberId: string) => ReturnType<ConsumerGroup['targetOf']>) | null;
}

/** Fills `classic`, which nobody has seen yet, and gives its record. */
export function downgraded(
  { epoch, planOf }: Downgrade,
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
    classicMember.readsOn = planOf === null;
    return [{ member, classicMember }];
  });
  classic.adopt(
    epoch,
    joined.map(({ classicMember }) => classicMember),
    now,
  );
  for (const { member, classicMember } of joined) {
    const places = planOf === null ? owned(member) : planOf(member.memberId);
    classicMember.assignment = writeAssignment(named(places, topics), classicMember.metadataOf(classic.protocol));
  }
  return classic.asRecord(({ assignment }) => assignment);
}

function owned({ assigned, pendingRevocation }: ConsumerMember): Map<Uuid, number[]> {
  const places = new Map<Uuid, number[]>();
  for (const [topicId, partitions] of [...assigned, ...pendingRevocation])
    places.set(topicId, [...(places.get(topicId) ?? []), ...partitions.keys()]);
  return places;
}
