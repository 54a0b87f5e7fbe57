/** A member of a group of the consumer protocol, as its records say it. Never changed in place: a change is another value. */
import { isOfferedAlike } from '../classic-member.ts';
import type {
  ClassicMemberMetadata,
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMemberMetadataValue,
} from '../consumer-records.ts';
import { NOTHING, type OwnedPartitions, ownedOf, recordsOf } from './owned-partitions.ts';

/** What stands between a member and the assignment that it is to have. Kafka's numbers. */
export const MEMBER_STATE = {
  /** Nothing. */
  STABLE: 0,
  /** It has yet to give partitions up. */
  UNREVOKED_PARTITIONS: 1,
  /** Others have yet to give up what it is to own. */
  UNRELEASED_PARTITIONS: 2,
} as const;

/** The epoch of a member that joins, that leaves, and of a static one that leaves for a while. */
export const JOINS = 0;
export const LEAVES = -1;
export const LEAVES_FOR_A_WHILE = -2;

export interface ConsumerMember extends ConsumerGroupMemberMetadataValue {
  readonly memberId: string;
  readonly memberEpoch: number;
  /** A heartbeat whose answer was lost comes with this one again. */
  readonly previousMemberEpoch: number;
  readonly state: number;
  readonly assigned: OwnedPartitions;
  readonly pendingRevocation: OwnedPartitions;
}

export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classicMemberMetadata: null,
    ...UNASSIGNED,
  };
}

export const UNASSIGNED = {
  memberEpoch: JOINS,
  previousMemberEpoch: JOINS,
  state: MEMBER_STATE.STABLE,
  assigned: NOTHING,
  pendingRevocation: NOTHING,
} as const;

export function metadataRecord(group: string, member: ConsumerMember): ConsumerGroupMemberMetadataRecord {
  const { memberId, instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs, serverAssignor } = member;
  const { subscribedTopicNames, subscribedTopicRegex, classicMemberMetadata } = member;
  return {
    kind: 'consumer-group-member-metadata',
    group,
    memberId,
    value: {
      instanceId,
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames,
      subscribedTopicRegex,
      rebalanceTimeoutMs,
      serverAssignor,
      classicMemberMetadata,
    },
  };
}

export function assignmentRecord(group: string, member: ConsumerMember): ConsumerGroupCurrentMemberAssignmentRecord {
  const { memberId, memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = member;
  return {
    kind: 'consumer-group-current-member-assignment',
    group,
    memberId,
    value: {
      memberEpoch,
      previousMemberEpoch,
      state,
      assignedPartitions: recordsOf(assigned),
      partitionsPendingRevocation: recordsOf(pendingRevocation),
    },
  };
}

export function withMetadata(member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember {
  return { ...member, ...value };
}

export function withAssignment(
  member: ConsumerMember,
  value: NonNullable<ConsumerGroupCurrentMemberAssignmentRecord['value']>,
): ConsumerMember {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = value;
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: ownedOf(assignedPartitions, memberEpoch),
    pendingRevocation: ownedOf(partitionsPendingRevocation, memberEpoch),
  };
}

/** Whether their metadata records say the same. */
export function isDescribedAlike(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.serverAssignor === right.serverAssignor &&
    isClassicAlike(left.classicMemberMetadata, right.classicMemberMetadata) &&
    left.subscribedTopicRegex === right.subscribedTopicRegex &&
    isSubscribedAlike(left, right)
  );
}

function isClassicAlike(left: ClassicMemberMetadata | null, right: ClassicMemberMetadata | null): boolean {
  if (left === null || right === null) return left === right;
  const { supportedProtocols: protocols, sessionTimeoutMs } = left;
  return sessionTimeoutMs === right.sessionTimeoutMs && isOfferedAlike(protocols, right.supportedProtocols);
}

/** No pattern and an empty one are the same. */
export function isSubscribedAlike(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    (left.subscribedTopicRegex ?? '') === (right.subscribedTopicRegex ?? '') &&
    left.subscribedTopicNames.length === right.subscribedTopicNames.length &&
    left.subscribedTopicNames.every((name, at) => name === right.subscribedTopicNames[at])
  );
}
