/** What groups are asked and what they answer, as types: the wire tables' own shapes, and what comes along with a request. */
import type { ConsumerGroupDescribe } from '../../wire/messages/consumer-group-describe.ts';
import type { ConsumerGroupHeartbeat } from '../../wire/messages/consumer-group-heartbeat.ts';
import type { DescribeGroups } from '../../wire/messages/describe-groups.ts';
import type { Heartbeat } from '../../wire/messages/heartbeat.ts';
import type { JoinGroup } from '../../wire/messages/join-group.ts';
import type { LeaveGroup } from '../../wire/messages/leave-group.ts';
import type { ListGroups } from '../../wire/messages/list-groups.ts';
import type { OffsetCommit } from '../../wire/messages/offset-commit.ts';
import type { OffsetDelete } from '../../wire/messages/offset-delete.ts';
import type { OffsetFetch } from '../../wire/messages/offset-fetch.ts';
import type { SyncGroup } from '../../wire/messages/sync-group.ts';
import type { RequestOf, ResponseInput } from '../../wire/schema.ts';

/** Who asks, and in which version. */
export interface Caller {
  readonly version: number;
  readonly clientId: string;
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string;
}

/** Takes the answer: exactly once, at once or later, and without asking the shard anything in the same breath. */
export type Respond<Body> = (body: Body) => void;

export type JoinRequest = RequestOf<typeof JoinGroup>;
export type JoinResponse = ResponseInput<typeof JoinGroup>;
export type SyncRequest = RequestOf<typeof SyncGroup>;
export type SyncResponse = ResponseInput<typeof SyncGroup>;
export type HeartbeatRequest = RequestOf<typeof Heartbeat>;
export type HeartbeatResponse = ResponseInput<typeof Heartbeat>;
export type LeaveRequest = RequestOf<typeof LeaveGroup>;
export type LeaveResponse = ResponseInput<typeof LeaveGroup>;
export type ConsumerHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type ConsumerHeartbeatResponse = ResponseInput<typeof ConsumerGroupHeartbeat>;
export type CommitRequest = RequestOf<typeof OffsetCommit>;
export type CommitResponse = ResponseInput<typeof OffsetCommit>;
export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>;
export type OffsetDeleteResponse = ResponseInput<typeof OffsetDelete>;

/** One group of an OffsetFetch in the shape that v8 gave it; `requireStable` is told for all groups of a request. */
export type FetchedGroup = RequestOf<typeof OffsetFetch>['groups'][number];
export type GroupOffsets = ResponseInput<typeof OffsetFetch>['groups'][number];

export type ListedGroup = ResponseInput<typeof ListGroups>['groups'][number];
export type DescribedConsumerGroup = ResponseInput<typeof ConsumerGroupDescribe>['groups'][number];
export type DescribedGroup = ResponseInput<typeof DescribeGroups>['groups'][number];
