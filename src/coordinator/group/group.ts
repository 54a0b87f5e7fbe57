/**
 * What groups of every kind have in common: they share one space of ids, commit offsets, are listed, described, emptied and
 * deleted. Whatever a kind alone can do is asked of its own class.
 */
import type { Place } from './offsets.ts';
import type { GroupRecord, OffsetCommitValue } from './records.ts';

/** Kafka's names of the kinds, as they are listed and filtered by. */
export type GroupKind = 'classic' | 'consumer' | 'share' | 'streams';

export const NO_MEMBER = '';
export const NO_GENERATION = -1;

/** How a commit says from whom it is. */
export interface Committer {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** Or the epoch of a member of the consumer protocol. */
  readonly generation: number;
  /** Of the request. */
  readonly version: number;
}

/** Whose offsets are asked for; neither is told by administrators and by clients that do not know of epochs. */
export interface Fetcher {
  readonly memberId: string | null;
  readonly memberEpoch: number;
}

export interface Group {
  readonly id: string;
  readonly kind: GroupKind;
  readonly stateName: string;
  /** As it is listed; empty text when no member has said it yet. */
  readonly listedProtocolType: string;
  /** Nobody is in it, so it may be deleted. */
  readonly isEmpty: boolean;
  /** Timers of it run or somebody waits to be answered: it is not to be dropped in passing. */
  readonly isBusy: boolean;
  /** What the log is told when the group is removed; nothing when it was not told of the group. */
  tombstones(): GroupRecord[];
  /** NONE when the commit of these partitions may be written. */
  commitProblem(from: Committer, places: readonly Place[]): number;
  /** NONE when offsets may be told. */
  fetchProblem(from: Fetcher): number;
  /** A commit of this member was taken: it lives. */
  committed(memberId: string): void;
  /** NONE when offsets may be deleted by request. */
  offsetDeleteProblem(): number;
  /** NONE when the group may be deleted by request. */
  deleteProblem(): number;
  /** Whether it consumes the topic, or may do so for all that is known: its offsets stay then. */
  isSubscribedTo(topic: string): boolean;
  /** From when on the retention of this offset counts; null when it does not expire as things are. */
  retentionStart(offset: OffsetCommitValue): number | null;
  /** Its removal is being written; nothing else is taken until it is known how that ended. */
  beginRemoval(): void;
  /** The removal was not written. */
  endRemoval(): void;
  /** Answers everybody who waits with this error and stops every timer; the group is not used any more. */
  dispose(error: number): void;
}
