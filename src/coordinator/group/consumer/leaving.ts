/** Members that go: by their own word, or because they are silent or hold on to what they are to give up. */
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { assignmentRecord, type ConsumerMember, LEAVES_FOR_A_WHILE } from './member.ts';
import { NOTHING } from './owned-partitions.ts';
import { Subscriptions } from './subscriptions.ts';
import type { ConsumerWorld } from './world.ts';

/** What the log is told when these members are gone: a new epoch, whose target the next heartbeat makes. */
export function removal(
  group: ConsumerGroup,
  gone: readonly ConsumerMember[],
  { topics, now }: Pick<ConsumerWorld, 'topics' | 'now'>,
): ConsumerGroupRecord[] {
  const ids = new Set(gone.map(({ memberId }) => memberId));
  const left = [...group.members.values()].filter(({ memberId }) => !ids.has(memberId));
  const subscriptions = new Subscriptions(group, left, topics, now);
  const subscribed = new Set(left.flatMap((member) => [...subscriptions.topicIdsOf(member)]));
  return [
    ...gone.flatMap(({ memberId }) => tombstones(group.id, memberId)),
    ...subscriptions.records,
    epochRecord(group.id, group.epoch + 1, subscriptions.hashOf(subscribed)),
  ];
}

export function tombstones(group: string, memberId: string): ConsumerGroupRecord[] {
  return [
    { kind: 'consumer-group-current-member-assignment', group, memberId, value: null },
    { kind: 'consumer-group-target-assignment-member', group, memberId, value: null },
    { kind: 'consumer-group-member-metadata', group, memberId, value: null },
  ];
}

export function epochRecord(group: string, epoch: number, metadataHash: bigint): ConsumerGroupRecord {
  return { kind: 'consumer-group-metadata', group, value: { epoch, metadataHash } };
}

/** A static member keeps what it owns until it comes back or its session ends; what it was giving up is free. */
export function absence(group: ConsumerGroup, member: ConsumerMember): ConsumerGroupRecord {
  return assignmentRecord(group.id, { ...member, memberEpoch: LEAVES_FOR_A_WHILE, pendingRevocation: NOTHING });
}
