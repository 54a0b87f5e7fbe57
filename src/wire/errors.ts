/** Kafka's error codes: number, name, whether the same request may succeed when it is sent again, and what it means. */

const TABLE = {
  UNKNOWN_SERVER_ERROR: [-1, false, 'The broker failed in a way it has no name for.'],
  NONE: [0, false, 'No error.'],
  OFFSET_OUT_OF_RANGE: [1, false, "The offset lies outside of the partition's log."],
  CORRUPT_MESSAGE: [2, true, 'The batch is damaged: its checksum, size or layout is wrong, or a key is missing.'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, true, 'This broker does not have the topic or partition.'],
  INVALID_FETCH_SIZE: [4, false, 'The fetch size makes no sense.'],
  LEADER_NOT_AVAILABLE: [5, true, 'The partition has no leader at the moment.'],
  NOT_LEADER_OR_FOLLOWER: [6, true, 'This broker is not the leader, or no replica, of the partition.'],
  REQUEST_TIMED_OUT: [7, true, 'The request was not done in the time it gave.'],
  BROKER_NOT_AVAILABLE: [8, false, 'The broker is not there.'],
  REPLICA_NOT_AVAILABLE: [9, true, 'The replica is not there.'],
  MESSAGE_TOO_LARGE: [10, false, 'A batch is larger than the topic allows.'],
  STALE_CONTROLLER_EPOCH: [11, false, 'The controller has moved to another broker.'],
  OFFSET_METADATA_TOO_LARGE: [12, false, 'The text committed with the offset is too long.'],
  NETWORK_EXCEPTION: [13, true, 'The connection went away before the answer came.'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, true, 'The coordinator is still loading its state.'],
  COORDINATOR_NOT_AVAILABLE: [15, true, 'There is no coordinator at the moment.'],
  NOT_COORDINATOR: [16, true, 'This broker is not the coordinator.'],
  INVALID_TOPIC_EXCEPTION: [17, false, "The topic's name is invalid, or the topic may not be used this way."],
  RECORD_LIST_TOO_LARGE: [18, false, 'A batch is larger than a segment.'],
  NOT_ENOUGH_REPLICAS: [19, true, 'Fewer replicas are in sync than the topic demands; nothing was written.'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, true, 'Written, but to fewer replicas in sync than the topic demands.'],
  INVALID_REQUIRED_ACKS: [21, false, 'Acks is none of -1, 0 and 1.'],
  ILLEGAL_GENERATION: [22, false, "The group's generation is another one."],
  INCONSISTENT_GROUP_PROTOCOL: [23, false, 'The member shares no protocol with its group, or names none.'],
  INVALID_GROUP_ID: [24, false, "The group's id is invalid."],
  UNKNOWN_MEMBER_ID: [25, false, 'The group does not know this member.'],
  INVALID_SESSION_TIMEOUT: [26, false, "The session timeout is outside of the broker's bounds."],
  REBALANCE_IN_PROGRESS: [27, false, 'The group is rebalancing: join again.'],
  INVALID_COMMIT_OFFSET_SIZE: [28, false, 'The size of the committed offset data is invalid.'],
  TOPIC_AUTHORIZATION_FAILED: [29, false, 'Not allowed on the topic.'],
  GROUP_AUTHORIZATION_FAILED: [30, false, 'Not allowed on the group.'],
  CLUSTER_AUTHORIZATION_FAILED: [31, false, 'Not allowed on the cluster.'],
  INVALID_TIMESTAMP: [32, false, "A timestamp is too far from the broker's clock."],
  UNSUPPORTED_SASL_MECHANISM: [33, false, 'The broker does not offer this SASL mechanism.'],
  ILLEGAL_SASL_STATE: [34, false, 'The request does not fit the state of the authentication.'],
  UNSUPPORTED_VERSION: [35, false, 'The broker does not serve this version of the request.'],
  TOPIC_ALREADY_EXISTS: [36, false, 'There is a topic of this name.'],
  INVALID_PARTITIONS: [37, false, 'The number of partitions is invalid.'],
  INVALID_REPLICATION_FACTOR: [38, false, 'The replication factor is below one or above the number of brokers.'],
  INVALID_REPLICA_ASSIGNMENT: [39, false, 'The replica assignment is invalid.'],
  INVALID_CONFIG: [40, false, 'A setting is unknown or its value invalid.'],
  NOT_CONTROLLER: [41, true, 'This broker is not the controller.'],
  INVALID_REQUEST: [42, false, 'The request contradicts itself or the protocol.'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, false, 'The format of the stored records cannot serve the request.'],
  POLICY_VIOLATION: [44, false, 'A policy of the broker forbids it.'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, false, "The producer's sequence number leaves a gap."],
  DUPLICATE_SEQUENCE_NUMBER: [46, false, "The producer's sequence number was seen, too long ago to say where."],
  INVALID_PRODUCER_EPOCH: [47, false, "The producer's epoch is an old one."],
  INVALID_TXN_STATE: [48, false, 'The transaction is not in a state for this.'],
  INVALID_PRODUCER_ID_MAPPING: [49, false, 'The transactional id belongs to another producer id.'],
  INVALID_TRANSACTION_TIMEOUT: [50, false, "The transaction timeout is above the broker's limit."],
  CONCURRENT_TRANSACTIONS: [51, true, 'An earlier step of the transaction is still under way.'],
  TRANSACTION_COORDINATOR_FENCED: [52, false, 'Another transaction coordinator has taken over.'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, false, 'Not allowed on the transactional id.'],
  SECURITY_DISABLED: [54, false, 'Security is switched off.'],
  OPERATION_NOT_ATTEMPTED: [55, false, 'Not tried, because another part of the request failed.'],
  KAFKA_STORAGE_ERROR: [56, true, 'The disk failed the broker.'],
  LOG_DIR_NOT_FOUND: [57, false, 'The broker has no such log directory.'],
  SASL_AUTHENTICATION_FAILED: [58, false, 'Authentication failed.'],
  UNKNOWN_PRODUCER_ID: [59, false, 'Nothing is known of the producer any more.'],
  REASSIGNMENT_IN_PROGRESS: [60, false, 'The partition is being reassigned.'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, false, 'Delegation tokens are switched off.'],
  DELEGATION_TOKEN_NOT_FOUND: [62, false, 'There is no such delegation token.'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, false, 'The token belongs to somebody else.'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, false, 'Tokens cannot be asked for over this connection.'],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, false, 'Not allowed on the delegation token.'],
  DELEGATION_TOKEN_EXPIRED: [66, false, 'The delegation token has expired.'],
  INVALID_PRINCIPAL_TYPE: [67, false, 'This type of principal is not served.'],
  NON_EMPTY_GROUP: [68, false, 'The group has members.'],
  GROUP_ID_NOT_FOUND: [69, false, 'There is no such group.'],
  FETCH_SESSION_ID_NOT_FOUND: [70, true, 'The broker does not know this fetch session.'],
  INVALID_FETCH_SESSION_EPOCH: [71, true, 'The fetch session is at another epoch.'],
  LISTENER_NOT_FOUND: [72, true, 'The leader has no listener of the name this request came through.'],
  TOPIC_DELETION_DISABLED: [73, false, 'Topics may not be deleted here.'],
  FENCED_LEADER_EPOCH: [74, true, "The leader epoch of the request is older than the partition's."],
  UNKNOWN_LEADER_EPOCH: [75, true, "The leader epoch of the request is newer than the partition's."],
  UNSUPPORTED_COMPRESSION_TYPE: [76, false, 'The compression is unknown, or too new for this version of the request.'],
  STALE_BROKER_EPOCH: [77, false, 'The broker has registered anew since.'],
  OFFSET_NOT_AVAILABLE: [78, true, 'A new leader does not know its high watermark yet.'],
  MEMBER_ID_REQUIRED: [79, false, 'Join again with the member id in the answer.'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, true, 'The preferred leader is not there.'],
  GROUP_MAX_SIZE_REACHED: [81, false, 'The group is full.'],
  FENCED_INSTANCE_ID: [82, false, 'Another member has taken the group instance id.'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, true, 'No replica that may lead is there.'],
  ELECTION_NOT_NEEDED: [84, true, 'The partition has the leader it should have.'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, false, 'The partition is not being reassigned.'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, false, 'The group consumes the topic: its offsets stay.'],
  INVALID_RECORD: [87, false, "A record failed the broker's checks."],
  UNSTABLE_OFFSET_COMMIT: [88, true, 'Offsets of an open transaction are pending.'],
  THROTTLING_QUOTA_EXCEEDED: [89, true, 'The quota is used up; try again later.'],
  PRODUCER_FENCED: [90, false, 'A newer producer uses the transactional id.'],
  RESOURCE_NOT_FOUND: [91, false, 'What the request names does not exist.'],
  DUPLICATE_RESOURCE: [92, false, 'The request names one thing twice.'],
  UNACCEPTABLE_CREDENTIAL: [93, false, 'The credential does not meet the demands.'],
  INCONSISTENT_VOTER_SET: [94, false, 'Sender or receiver is none of the expected voters.'],
  INVALID_UPDATE_VERSION: [95, false, "The update's version is invalid."],
  FEATURE_UPDATE_FAILED: [96, false, 'The features could not be updated.'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, false, 'A forwarded request came with an unreadable principal.'],
  SNAPSHOT_NOT_FOUND: [98, false, 'There is no such snapshot.'],
  POSITION_OUT_OF_RANGE: [99, false, 'The position lies outside of the snapshot.'],
  UNKNOWN_TOPIC_ID: [100, true, 'This broker has no topic of this id.'],
  DUPLICATE_BROKER_REGISTRATION: [101, false, 'Another live broker has this id.'],
  BROKER_ID_NOT_REGISTERED: [102, false, 'No broker of this id is registered.'],
  INCONSISTENT_TOPIC_ID: [103, true, 'The log belongs to a topic of another id.'],
  INCONSISTENT_CLUSTER_ID: [104, false, 'The request is meant for another cluster.'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, false, 'There is no such transactional id.'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, true, 'The fetch session mixes topics by name and by id.'],
  INELIGIBLE_REPLICA: [107, false, 'The new ISR has a replica that may not be in it.'],
  NEW_LEADER_ELECTED: [108, false, 'The change was made, and the leader is another one now.'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, false, 'The offset lies in remote storage.'],
  FENCED_MEMBER_EPOCH: [110, false, 'The coordinator has fenced the member: give up all partitions and join again.'],
  UNRELEASED_INSTANCE_ID: [111, false, 'Another member still holds the group instance id.'],
  UNSUPPORTED_ASSIGNOR: [112, false, 'The group does not have this assignor, or not its version.'],
  STALE_MEMBER_EPOCH: [113, false, "The member's epoch is old: heartbeat, then try again."],
  MISMATCHED_ENDPOINT_TYPE: [114, false, 'The request came to the wrong kind of endpoint.'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, false, 'This kind of endpoint is not served.'],
  UNKNOWN_CONTROLLER_ID: [116, false, 'There is no controller of this id.'],
  UNKNOWN_SUBSCRIPTION_ID: [117, false, 'The telemetry subscription is unknown or old.'],
  TELEMETRY_TOO_LARGE: [118, false, 'The telemetry is larger than the broker takes.'],
  INVALID_REGISTRATION: [119, false, "The controller refuses the broker's registration."],
  TRANSACTION_ABORTABLE: [120, false, 'The transaction failed: abort it, then go on with the same id.'],
  INVALID_RECORD_STATE: [121, false, 'The record is not in a state that can be acknowledged.'],
  SHARE_SESSION_NOT_FOUND: [122, true, 'The broker does not know this share session.'],
  INVALID_SHARE_SESSION_EPOCH: [123, true, 'The share session is at another epoch.'],
  FENCED_STATE_EPOCH: [124, false, "The share group's state is at another epoch."],
  INVALID_VOTER_KEY: [125, false, "The voter's key is not the receiver's."],
  DUPLICATE_VOTER: [126, false, 'The voter is in the set already.'],
  VOTER_NOT_FOUND: [127, false, 'The voter is not in the set.'],
  INVALID_REGULAR_EXPRESSION: [128, false, 'The regular expression is invalid.'],
  REBOOTSTRAP_REQUIRED: [
    129,
    false,
    "The client's picture of the cluster is too old: start from the bootstrap servers.",
  ],
  STREAMS_INVALID_TOPOLOGY: [130, false, 'The streams topology is invalid.'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, false, 'The epoch of the streams topology is invalid.'],
  STREAMS_TOPOLOGY_FENCED: [132, false, 'The epoch of the streams topology is old.'],
  SHARE_SESSION_LIMIT_REACHED: [133, true, 'The broker has as many share sessions as it takes.'],
} as const satisfies Record<string, readonly [code: number, retriable: boolean, text: string]>;

export type ErrorName = keyof typeof TABLE;
type Codes = { readonly [N in ErrorName]: (typeof TABLE)[N][0] };

export interface ProtocolError {
  readonly code: number;
  readonly name: ErrorName;
  readonly retriable: boolean;
  readonly text: string;
}

const BY_CODE = new Map<number, ProtocolError>();
for (const [name, [code, retriable, text]] of Object.entries(TABLE)) {
  BY_CODE.set(code, { code, name: name as ErrorName, retriable, text });
}

/** The numbers by name: `ERROR.UNKNOWN_TOPIC_OR_PARTITION` is 3. */
export const ERROR = Object.fromEntries(Object.entries(TABLE).map(([name, [code]]) => [name, code])) as Codes;

/** Null for a code that is not Kafka's. */
export function errorOf(code: number): ProtocolError | null {
  return BY_CODE.get(code) ?? null;
}

export function errorName(code: number): string {
  return BY_CODE.get(code)?.name ?? `UNKNOWN_ERROR_CODE(${code})`;
}

export function isRetriable(code: number): boolean {
  return BY_CODE.get(code)?.retriable ?? false;
}
