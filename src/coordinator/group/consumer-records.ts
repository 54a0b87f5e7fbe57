/**
 * What the log of the group coordinator holds of groups of the consumer protocol, as values. A group is many records, one for
 * each thing that changes by itself, so that a change writes little.
 */
import type { Uuid } from '../../base/uuid.ts';

export interface ConsumerGroupMetadataValue {
  readonly epoch: number;
  /** Of the topics that the group is subscribed to, as they were when the epoch began; opaque 64 bits. */
  readonly metadataHash: bigint;
}

/** Written by Kafka before 4.1; read so that it can be forgotten. */
export interface ConsumerGroupPartitionMetadataValue {
  readonly topics: readonly {
    readonly topicId: Uuid;
    readonly topicName: string;
    readonly numPartitions: number;
    readonly partitionMetadata: readonly { readonly partition: number; readonly racks: readonly string[] }[];
  }[];
}

/** What a member of the classic protocol said when it joined a group of the consumer protocol. */
export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number;
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

export interface ConsumerGroupMemberMetadataValue {
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly subscribedTopicRegex: string | null;
  /** -1 when not known. */
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
  /** Null for members of the consumer protocol. */
  readonly classicMemberMetadata: ClassicMemberMetadata | null;
}

export interface ConsumerGroupTargetAssignmentMetadataValue {
  readonly assignmentEpoch: number;
  /** 0 when not known. */
  readonly assignmentTimestamp: number;
}

export interface TopicPartitions {
  readonly topicId: Uuid;
  readonly partitions: readonly number[];
}

export interface ConsumerGroupTargetAssignmentMemberValue {
  readonly topicPartitions: readonly TopicPartitions[];
}

export interface OwnedTopicPartitions extends TopicPartitions {
  /** The epoch at which each partition was assigned, in the order of the partitions; null or none when not known. */
  readonly assignmentEpochs: readonly number[] | null;
}

export interface ConsumerGroupCurrentMemberAssignmentValue {
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: number;
  readonly assignedPartitions: readonly OwnedTopicPartitions[];
  readonly partitionsPendingRevocation: readonly OwnedTopicPartitions[];
}

export interface ConsumerGroupRegularExpressionValue {
  readonly topics: readonly string[];
  /** Of the metadata that the pattern was resolved against. */
  readonly version: number;
  readonly timestamp: number;
}

interface OfGroup<Kind extends string, Value> {
  readonly kind: Kind;
  readonly group: string;
  readonly value: Value | null;
}

interface OfMember<Kind extends string, Value> extends OfGroup<Kind, Value> {
  readonly memberId: string;
}

export type ConsumerGroupMetadataRecord = OfGroup<'consumer-group-metadata', ConsumerGroupMetadataValue>;
export type ConsumerGroupPartitionMetadataRecord = OfGroup<
  'consumer-group-partition-metadata',
  ConsumerGroupPartitionMetadataValue
>;
export type ConsumerGroupMemberMetadataRecord = OfMember<
  'consumer-group-member-metadata',
  ConsumerGroupMemberMetadataValue
>;
export type ConsumerGroupTargetAssignmentMetadataRecord = OfGroup<
  'consumer-group-target-assignment-metadata',
  ConsumerGroupTargetAssignmentMetadataValue
>;
export type ConsumerGroupTargetAssignmentMemberRecord = OfMember<
  'consumer-group-target-assignment-member',
  ConsumerGroupTargetAssignmentMemberValue
>;
export type ConsumerGroupCurrentMemberAssignmentRecord = OfMember<
  'consumer-group-current-member-assignment',
  ConsumerGroupCurrentMemberAssignmentValue
>;
export interface ConsumerGroupRegularExpressionRecord
  extends OfGroup<'consumer-group-regular-expression', ConsumerGroupRegularExpressionValue> {
  readonly regularExpression: string;
}

export type ConsumerGroupRecord =
  | ConsumerGroupMetadataRecord
  | ConsumerGroupPartitionMetadataRecord
  | ConsumerGroupMemberMetadataRecord
  | ConsumerGroupTargetAssignmentMetadataRecord
  | ConsumerGroupTargetAssignmentMemberRecord
  | ConsumerGroupCurrentMemberAssignmentRecord
  | ConsumerGroupRegularExpressionRecord;
