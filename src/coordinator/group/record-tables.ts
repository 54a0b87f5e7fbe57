/**
 * The records of `__consumer_offsets` in the vocabulary of messages: keys, then values. A key or value is its version (int16)
 * and the fields; the version of a key is not a version but says what the record is about (`KEY`).
 */
import {
  array,
  bytes,
  int8,
  int32,
  message,
  rawInt64,
  saturatingInt64,
  string,
  struct,
  uuid,
} from '../../wire/schema.ts';

/** What a record is about. */
export const KEY = {
  /** Until Kafka 0.8; its fields are those of OFFSET_COMMIT. */
  OFFSET_COMMIT_OF_OLD: 0,
  OFFSET_COMMIT: 1,
  GROUP_METADATA: 2,
  CONSUMER_GROUP_METADATA: 3,
  CONSUMER_GROUP_PARTITION_METADATA: 4,
  CONSUMER_GROUP_MEMBER_METADATA: 5,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA: 6,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER: 7,
  CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT: 8,
  CONSUMER_GROUP_REGULAR_EXPRESSION: 16,
} as const;

const ONE_VERSION = { versions: [0, 0], flexibleFrom: Number.POSITIVE_INFINITY } as const;
const ONE_FLEXIBLE_VERSION = { versions: [0, 0], flexibleFrom: 0 } as const;

export const OffsetCommitKey = message({
  name: 'OffsetCommitKey',
  ...ONE_VERSION,
  fields: { group: string(), topic: string(), partition: int32() },
});

export const GroupKey = message({ name: 'GroupKey', ...ONE_VERSION, fields: { group: string() } });

export const MemberKey = message({
  name: 'MemberKey',
  ...ONE_VERSION,
  fields: { group: string(), memberId: string() },
});

export const RegularExpressionKey = message({
  name: 'RegularExpressionKey',
  ...ONE_VERSION,
  fields: { group: string(), regularExpression: string() },
});

export const OffsetCommitValue = message({
  name: 'OffsetCommitValue',
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    offset: saturatingInt64(),
    leaderEpoch: int32({ since: 3, default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: saturatingInt64(),
    expireTimestamp: saturatingInt64({ since: 1, until: 1, default: -1, ignorable: true }),
    topicId: uuid({ since: 4, tag: 0, ignorable: true }),
  },
});

export const GroupMetadataValue = message({
  name: 'GroupMetadataValue',
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullableFrom: 0 }),
    leader: string({ nullableFrom: 0 }),
    currentStateTimestamp: saturatingInt64({ since: 2, default: -1, ignorable: true }),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: string({ since: 3, nullableFrom: 3, default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        rebalanceTimeout: int32({ since: 1, default: -1, ignorable: true }),
        sessionTimeout: int32(),
        subscription: bytes(),
        assignment: bytes(),
      }),
    ),
  },
});

export const ConsumerGroupMetadataValue = message({
  name: 'ConsumerGroupMetadataValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: { epoch: int32(), metadataHash: rawInt64({ tag: 0 }) },
});

export const ConsumerGroupPartitionMetadataValue = message({
  name: 'ConsumerGroupPartitionMetadataValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: {
    topics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array(struct({ partition: int32(), racks: array(string()) })),
      }),
    ),
  },
});

export const ConsumerGroupMemberMetadataValue = message({
  name: 'ConsumerGroupMemberMetadataValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: {
    instanceId: string({ nullableFrom: 0 }),
    rackId: string({ nullableFrom: 0 }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullableFrom: 0 }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullableFrom: 0 }),
    classicMemberMetadata: struct(
      { sessionTimeoutMs: int32(), supportedProtocols: array(struct({ name: string(), metadata: bytes() })) },
      { nullableFrom: 0, tag: 0 },
    ),
  },
});

export const ConsumerGroupTargetAssignmentMetadataValue = message({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: { assignmentEpoch: int32(), assignmentTimestamp: saturatingInt64({ tag: 0, ignorable: true }) },
});

export const ConsumerGroupTargetAssignmentMemberValue = message({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: { topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })) },
});

const ownedTopicPartitions = array(
  struct({
    topicId: uuid(),
    partitions: array(int32()),
    assignmentEpochs: array(int32(), { nullableFrom: 0, tag: 0 }),
  }),
);

export const ConsumerGroupCurrentMemberAssignmentValue = message({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: ownedTopicPartitions,
    partitionsPendingRevocation: ownedTopicPartitions,
  },
});

export const ConsumerGroupRegularExpressionValue = message({
  name: 'ConsumerGroupRegularExpressionValue',
  ...ONE_FLEXIBLE_VERSION,
  fields: { topics: array(string()), version: saturatingInt64(), timestamp: saturatingInt64() },
});
