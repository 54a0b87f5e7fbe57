/**
 * What the log of the group coordinator (`__consumer_offsets`) holds, as values. A record without a value is a tombstone:
 * what its key names is no more.
 */
import type { Uuid } from '../../base/uuid.ts';
import type { ConsumerGroupRecord } from './consumer-records.ts';

export interface OffsetCommitValue {
  readonly offset: number;
  /** -1 when the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestamp: number;
  /** Only of clients that ask for a retention of their own; -1 otherwise. */
  readonly expireTimestamp: number;
  /** All zero when not known. */
  readonly topicId: Uuid;
}

export interface ClassicMemberValue {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeout: number;
  readonly sessionTimeout: number;
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

export interface GroupMetadataValue {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocol: string | null;
  readonly leader: string | null;
  /** -1 when not known. */
  readonly currentStateTimestamp: number;
  readonly members: readonly ClassicMemberValue[];
}

export interface OffsetCommitRecord {
  readonly kind: 'offset-commit';
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: OffsetCommitValue | null;
}

export interface GroupMetadataRecord {
  readonly kind: 'group-metadata';
  readonly group: string;
  readonly value: GroupMetadataValue | null;
}

export type GroupRecord = OffsetCommitRecord | GroupMetadataRecord | ConsumerGroupRecord;
